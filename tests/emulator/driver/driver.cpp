#include "tests/emulator/driver/driver.hpp"

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <new>

namespace standin {
namespace {

/// Errors after which a context is of no use any more.
bool is_sticky(Status status) {
  switch (status) {
    case kEccUncorrectable:
    case kIllegalAddress:
    case kLaunchTimeout:
    case kAssert:
    case kHardwareStackError:
    case kIllegalInstruction:
    case kMisalignedAddress:
    case kInvalidAddressSpace:
    case kInvalidPc:
    case kLaunchFailed:
      return true;
    default:
      return false;
  }
}

bool number_of(const std::string& text, std::uint64_t& value) {
  char* end = nullptr;
  value = std::strtoull(text.c_str(), &end, 0);
  if (end == text.c_str()) return false;
  switch (*end) {
    case 'K':
      value <<= 10, ++end;
      break;
    case 'M':
      value <<= 20, ++end;
      break;
    case 'G':
      value <<= 30, ++end;
      break;
    default:
      break;
  }
  return *end == '\0';
}

constexpr const char* kKeys[] = {"devices", "capability", "cubin",  "cubins", "defer",    "memory", "multiprocessors", "version",
                                 "quiet",   "pools",      "zeroed", "seed",   "resident", "spin",   "registers",       "mig"};

}  // namespace

void require(bool holds, Status status) {
  if (!holds) throw Failure{status};
}

Driver& Driver::get() {
  static Driver* driver = new Driver;  // never destroyed: programs call the driver as they end
  return *driver;
}

Driver::Driver() {
  for (const char* key : kKeys) {
    std::string name = "STANDIN_";
    for (const char* c = key; *c; ++c) name += static_cast<char>(*c - 'a' + 'A');
    if (const char* value = std::getenv(name.c_str()); value && *value && !set(key, value))
      std::fprintf(stderr, "stand-in: %s=%s is not understood\n", name.c_str(), value);
  }
  if (const char* value = std::getenv("STANDIN_FAULT"); value && *value && !inject(value))
    std::fprintf(stderr, "stand-in: STANDIN_FAULT=%s is not understood\n", value);
}

bool Driver::set(const std::string& key, const std::string& value) {
  if (key == "cubins") return settings.cubins = value, true;
  std::uint64_t n = 0;
  if (!number_of(value, n)) return false;
  if (key == "devices")
    settings.n_devices = static_cast<int>(n);
  else if (key == "mig")
    settings.is_mig = n != 0;
  else if (key == "registers")
    settings.n_registers = static_cast<int>(n);
  else if (key == "capability")
    settings.capability = static_cast<int>(n);
  else if (key == "cubin")
    settings.takes_cubins = n != 0;
  else if (key == "defer")
    settings.defer = n != 0;
  else if (key == "memory")
    settings.memory = n;
  else if (key == "multiprocessors")
    settings.n_multiprocessors = static_cast<int>(n);
  else if (key == "version")
    settings.driver_version = static_cast<int>(n);
  else if (key == "quiet")
    settings.quiet = n != 0;
  else if (key == "pools")
    settings.pools = n != 0;
  else if (key == "zeroed")
    settings.zeroed = n != 0;
  else if (key == "seed")
    settings.schedule.seed = n;
  else if (key == "resident")
    settings.schedule.n_resident = static_cast<std::uint32_t>(n);
  else if (key == "spin")
    settings.schedule.spin_limit = n;
  else
    return false;
  return true;
}

/// api:n:code[,api:n:code...]; nothing: no faults any more.
bool Driver::inject(const std::string& specification) {
  std::vector<Fault> found;
  for (std::size_t at = 0; at < specification.size();) {
    const std::size_t end = std::min(specification.find(',', at), specification.size());
    const std::string one = specification.substr(at, end - at);
    const std::size_t first = one.find(':'), second = one.find(':', first + 1);
    std::uint64_t nth = 0, status = 0;
    if (first == std::string::npos || second == std::string::npos || !number_of(one.substr(first + 1, second - first - 1), nth) ||
        !number_of(one.substr(second + 1), status))
      return false;
    found.push_back({one.substr(0, first), nth, static_cast<Status>(status)});
    at = end + 1;
  }
  faults = std::move(found);
  return true;
}

void Driver::report(const std::string& text) {
  findings += text + "\n";
  if (!settings.quiet) std::fprintf(stderr, "stand-in: %s\n", text.c_str());
}

void Driver::finding(Context& context, const Finding& finding) {
  report(finding.what);
  context.error = static_cast<Status>(status_of(finding.defect));
}

std::vector<Context*>& context_stack() {
  thread_local std::vector<Context*> stack;
  return stack;
}

Context& Driver::current() {
  auto& stack = context_stack();
  require(!stack.empty() && stack.back(), kInvalidContext);
  require(contexts.count(stack.back()), kContextIsDestroyed);
  return *stack.back();
}

Device& Driver::device(int ordinal) {
  require(ordinal >= 0 && ordinal < static_cast<int>(devices.size()), kInvalidDevice);
  return devices[static_cast<std::size_t>(ordinal)];
}

Stream& Driver::stream(Stream* handle, bool per_thread) {
  Context& context = current();
  if (handle == kPerThreadStream || (!handle && per_thread)) return *context.per_thread;
  if (!handle || handle == kLegacyStream) return *context.legacy;
  for (Context* any : contexts)
    if (any->streams.count(handle)) return *handle;
  throw Failure{kInvalidHandle};
}

/// The legacy stream waits for all blocking streams, and they for it.
void Driver::enqueue(Stream& stream, std::function<void()> work) {
  auto operation = std::make_shared<Operation>();
  operation->work = std::move(work);
  const auto wait_for = [&](const Stream& other) {
    if (other.tail && !other.tail->is_done) operation->after.push_back(other.tail);
  };
  wait_for(stream);
  Context& context = *stream.context;
  if (&stream == context.legacy.get()) {
    for (const Stream* other : context.streams)
      if (!(other->flags & kNonBlocking)) wait_for(*other);
    wait_for(*context.per_thread);
  } else if (!(stream.flags & kNonBlocking)) {
    wait_for(*context.legacy);
  }
  stream.tail = operation;
  if (!settings.defer) run(operation);
}

/// Depth first without recursion: streams may hold many thousand operations.
void Driver::run(const OperationRef& operation) {
  std::vector<OperationRef> stack{operation};
  while (!stack.empty()) {
    const OperationRef top = stack.back();
    if (top->is_done) {
      stack.pop_back();
    } else if (!top->after.empty()) {
      stack.push_back(top->after.back());
      top->after.pop_back();
    } else {
      top->is_done = true;
      if (top->work) top->work();
      top->work = nullptr;
      stack.pop_back();
    }
  }
}

void Driver::synchronise(Stream& stream) {
  if (stream.tail) run(stream.tail);
  if (&stream == stream.context->legacy.get())
    for (Stream* other : stream.context->streams)
      if (!(other->flags & kNonBlocking) && other->tail) run(other->tail);
  require(stream.context->error == kSuccess, stream.context->error);
}

void Driver::synchronise(Context& context) {
  for (Stream* stream : context.streams)
    if (stream->tail) run(stream->tail);
  for (Stream* stream : {context.legacy.get(), context.per_thread.get()})
    if (stream->tail) run(stream->tail);
  require(context.error == kSuccess, context.error);
}

Allocation* Driver::allocate(int ordinal, std::uint64_t size, bool pooled, bool user) {
  Device& where = device(ordinal);
  require(size <= settings.memory && where.used + size <= settings.memory, kOutOfMemory);
  Allocation* found = memory.allocate(size, ordinal);
  require(found, kOutOfMemory);
  found->is_pooled = pooled;
  found->is_user = user;
  if (settings.zeroed) {
    std::memset(found->bytes.get(), 0, size);
    found->shadow.set_initialised(0, size);
  }
  where.used += size;
  live.insert(found);
  if (user) {
    counters.live_bytes += size;
    ++counters.live_allocations;
  }
  return found;
}

void Driver::release(Allocation& allocation) {
  if (!live.erase(&allocation)) return;
  devices[static_cast<std::size_t>(allocation.device)].used -= allocation.size;
  if (allocation.is_user) {
    counters.live_bytes -= allocation.size;
    --counters.live_allocations;
  }
  memory.free(allocation);
}

Allocation& Driver::range(CUdeviceptr address, std::uint64_t size) {
  Allocation* found = memory.find(address);
  require(found && found->state == State::Live && found->holds(address, size), kInvalidValue);
  return *found;
}

/// With a context go its streams, modules and, of the primary one, all memory of its device.
void Driver::destroy(Context& context) {
  for (Stream* stream : context.streams) delete stream;
  for (Event* event : context.events) delete event;
  for (Module* module : context.modules) {
    for (auto& [name, variable] : module->variables) release(*variable);
    delete module;
  }
  if (context.is_primary) {
    std::vector<Allocation*> left;
    for (Allocation* allocation : live)
      if (allocation->device == context.device) left.push_back(allocation);
    for (Allocation* allocation : left) release(*allocation);
    device(context.device).primary = nullptr;
  }
  contexts.erase(&context);
  delete &context;
}

int enter(const char* name, Needs needs, const std::function<void(Driver&)>& work) {
  Driver& driver = Driver::get();
  std::lock_guard lock(driver.mutex);
  ++driver.calls[name];
  const auto injected = [&]() -> Status {
    for (Fault& fault : driver.faults) {
      if (fault.api != name) continue;
      ++fault.seen;
      if (fault.nth != 0 && fault.seen != fault.nth) continue;
      if (is_sticky(fault.status) && !context_stack().empty() && driver.contexts.count(context_stack().back()))
        context_stack().back()->error = fault.status;
      return fault.status;
    }
    return kSuccess;
  };
  try {
    if (needs != Needs::Nothing) require(driver.is_initialised, kNotInitialized);
    if (const Status status = injected(); status != kSuccess) return status;
    if (needs == Needs::Context) require(driver.current().error == kSuccess, driver.current().error);
    work(driver);
    return kSuccess;
  } catch (const Failure& failure) {
    return failure.status;
  } catch (const std::bad_alloc&) {
    return kOutOfMemory;
  }
}

}  // namespace standin
