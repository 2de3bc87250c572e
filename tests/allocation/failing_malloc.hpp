// failing_malloc.hpp - lets chosen allocations of the whole process fail, and counts the blocks in use.
//
// Linked into a program it takes the place of malloc and its kin (under a sanitizer: of operator new, for malloc is the
// sanitizer's); preloaded, it does so for any process, Python's too. The functions are C's so that ctypes can call them.
#pragma once

extern "C" {

/// From now on allocations are numbered from 1; those numbered [first, first + count) fail. count < 0: all from `first` on.
void failing_malloc_arm(long first, long count) noexcept;
/// No allocation fails any more. Gives how many failed since arm().
long failing_malloc_disarm() noexcept;
/// How many allocations failed since arm().
long failing_malloc_failed() noexcept;
/// Blocks allocated and not freed, of all threads.
long failing_malloc_live() noexcept;
/// Calls a Python object without arguments, armed for that time alone; by ctypes.PyDLL. Gives what the call gives.
void* failing_malloc_call(void* callable, long first, long count);
}
