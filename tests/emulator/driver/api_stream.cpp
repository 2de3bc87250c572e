// driver/api_stream.cpp - streams and events.
#include "tests/emulator/driver/driver.hpp"

namespace standin {
namespace {

constexpr unsigned kDisableTiming = 2;

int create(const char* name, CUstream* stream, unsigned flags, int priority) {
  return enter(name, Needs::Context, [&](Driver& driver) {
    require(stream && flags <= kNonBlocking);
    Context& context = driver.current();
    *stream = new Stream{.context = &context, .flags = flags, .priority = priority};
    context.streams.insert(*stream);
  });
}

Event& known(Driver& driver, CUevent event) {
  for (Context* context : driver.contexts)
    if (context->events.count(event)) return *event;
  throw Failure{kInvalidHandle};
}

int record(const char* name, CUevent event, CUstream handle) {
  return enter(name, Needs::Context, [&](Driver& driver) {
    Event& found = known(driver, event);
    Stream& stream = driver.stream(handle);
    auto time = std::make_shared<std::uint64_t>();
    driver.enqueue(stream, [&driver, time] { *time = driver.counters.warp_instructions; });
    found.time = std::move(time);
    found.recorded = stream.tail;
  });
}

}  // namespace

STANDIN_API int cuStreamCreate(CUstream* stream, unsigned flags) { return create("cuStreamCreate", stream, flags, 0); }
STANDIN_API int cuStreamCreateWithPriority(CUstream* stream, unsigned flags, int priority) {
  return create("cuStreamCreateWithPriority", stream, flags, priority);
}

/// What is on the stream still runs.
STANDIN_API int cuStreamDestroy_v2(CUstream handle) {
  return enter("cuStreamDestroy_v2", Needs::Context, [&](Driver& driver) {
    Stream& stream = driver.stream(handle);
    require(handle && handle != kLegacyStream && handle != kPerThreadStream, kInvalidHandle);
    if (stream.tail) driver.run(stream.tail);
    stream.context->streams.erase(handle);
    delete handle;
  });
}

STANDIN_API int cuStreamSynchronize(CUstream stream) {
  return enter("cuStreamSynchronize", Needs::Context, [&](Driver& driver) { driver.synchronise(driver.stream(stream)); });
}

STANDIN_API int cuStreamQuery(CUstream stream) {
  return enter("cuStreamQuery", Needs::Context, [&](Driver& driver) {
    Stream& found = driver.stream(stream);
    if (!found.tail || found.tail->is_done) return;
    driver.run(found.tail);  // a program that asks until it is ready gets there
    throw Failure{kNotReady};
  });
}

STANDIN_API int cuStreamWaitEvent(CUstream stream, CUevent event, unsigned) {
  return enter("cuStreamWaitEvent", Needs::Context, [&](Driver& driver) {
    Stream& found = driver.stream(stream);
    const OperationRef recorded = known(driver, event).recorded;
    if (!recorded || recorded->is_done) return;
    auto waiting = std::make_shared<Operation>();
    waiting->after = {recorded};
    if (found.tail && !found.tail->is_done) waiting->after.push_back(found.tail);
    found.tail = waiting;
  });
}

STANDIN_API int cuStreamGetFlags(CUstream stream, unsigned* flags) {
  return enter("cuStreamGetFlags", Needs::Context, [&](Driver& driver) {
    require(flags);
    *flags = driver.stream(stream).flags;
  });
}

STANDIN_API int cuStreamGetPriority(CUstream stream, int* priority) {
  return enter("cuStreamGetPriority", Needs::Context, [&](Driver& driver) {
    require(priority);
    *priority = driver.stream(stream).priority;
  });
}

STANDIN_API int cuStreamGetCtx(CUstream stream, CUcontext* context) {
  return enter("cuStreamGetCtx", Needs::Context, [&](Driver& driver) {
    require(context);
    *context = driver.stream(stream).context;
  });
}

STANDIN_API int cuStreamAddCallback(CUstream stream, CUstreamCallback callback, void* data, unsigned) {
  return enter("cuStreamAddCallback", Needs::Context, [&](Driver& driver) {
    require(callback);
    Context& context = *driver.stream(stream).context;
    driver.enqueue(driver.stream(stream), [=, &context] { callback(stream, context.error, data); });
  });
}

STANDIN_API int cuStreamIsCapturing(CUstream, int* status) {
  return enter("cuStreamIsCapturing", Needs::Context, [&](Driver&) {
    require(status);
    *status = 0;
  });
}

STANDIN_API int cuEventCreate(CUevent* event, unsigned flags) {
  return enter("cuEventCreate", Needs::Context, [&](Driver& driver) {
    require(event);
    Context& context = driver.current();
    *event = new Event{.context = &context, .flags = flags};
    context.events.insert(*event);
  });
}

/// What waits for the event keeps the operation it stands for.
STANDIN_API int cuEventDestroy_v2(CUevent event) {
  return enter("cuEventDestroy_v2", Needs::Context, [&](Driver& driver) {
    Event& found = known(driver, event);
    found.context->events.erase(event);
    delete event;
  });
}

STANDIN_API int cuEventRecord(CUevent event, CUstream stream) { return record("cuEventRecord", event, stream); }
STANDIN_API int cuEventRecordWithFlags(CUevent event, CUstream stream, unsigned) { return record("cuEventRecordWithFlags", event, stream); }

STANDIN_API int cuEventSynchronize(CUevent event) {
  return enter("cuEventSynchronize", Needs::Context, [&](Driver& driver) {
    Event& found = known(driver, event);
    if (found.recorded) driver.run(found.recorded);
    require(found.context->error == kSuccess, found.context->error);
  });
}

STANDIN_API int cuEventQuery(CUevent event) {
  return enter("cuEventQuery", Needs::Context, [&](Driver& driver) {
    Event& found = known(driver, event);
    if (!found.recorded || found.recorded->is_done) return;
    driver.run(found.recorded);
    throw Failure{kNotReady};
  });
}

/// A microsecond for each thousand instructions: a number that grows, not a time.
static int elapsed(const char* name, float* milliseconds, CUevent first, CUevent last) {
  return enter(name, Needs::Context, [&](Driver& driver) {
    require(milliseconds);
    const Event &from = known(driver, first), &to = known(driver, last);
    require(!(from.flags & kDisableTiming) && !(to.flags & kDisableTiming) && from.recorded && to.recorded, kInvalidHandle);
    require(from.recorded->is_done && to.recorded->is_done, kNotReady);
    *milliseconds = static_cast<float>(*to.time - *from.time) / 1e6f;
  });
}
STANDIN_API int cuEventElapsedTime(float* milliseconds, CUevent first, CUevent last) {
  return elapsed("cuEventElapsedTime", milliseconds, first, last);
}
STANDIN_API int cuEventElapsedTime_v2(float* milliseconds, CUevent first, CUevent last) {
  return elapsed("cuEventElapsedTime_v2", milliseconds, first, last);
}

}  // namespace standin
