// bindings/src/running.cpp - which thread handles signals.
#include "running.hpp"

#include <pthread.h>
#include <sys/syscall.h>

namespace engine::python {

/// Python handles signals in the main thread alone; there no other has to ask. Each thread asks the system once; who forks is the
/// main thread of the child.
bool is_main_thread() {
  enum class Answer : std::uint8_t { Unknown, Yes, No };
  static constinit ENGINE_THREAD_LOCAL Answer answer = Answer::Unknown;
  if (answer == Answer::Unknown) {
    [[maybe_unused]] static const int watched = pthread_atfork(nullptr, nullptr, [] { answer = Answer::Yes; });
    answer = syscall(SYS_gettid) == getpid() ? Answer::Yes : Answer::No;
  }
  return answer == Answer::Yes;
}

void run_released(Execution& execution, Destination& destination, const CallOptions& call, PyObject* progress) {
  WithoutGil released;
  destination.released = &released;
  Running running{released, progress};
  RunOptions options{.threads = call.options.threads, .wait = call.wait, .graph = call.graph};
  running.put_into(options);
  execution.run(options);
}

}  // namespace engine::python
