// kernels_cuda/pieces.cpp - see pieces.hpp.
#include "kernels_cuda/pieces.hpp"

namespace engine::cuda {

Pieces::~Pieces() {
  for (Event* events : {read_, taken_})
    for (std::size_t i = 0; i < kSlots; ++i)
      if (events[i]) driver().cuEventDestroy_v2(events[i]);
}

std::size_t Pieces::add(const char* host, std::size_t bytes) {
  const std::size_t stride = (bytes + 2 * kAlignment - 1) / kAlignment * kAlignment;
  memories_.push_back({Memory(device_, stride * kSlots), stride, offset_of(host)});
  return memories_.size() - 1;
}

void Pieces::wait(Event event, Stream stream) {
  if (event) check(driver().cuStreamWaitEvent(stream, event, 0), "ordering pieces");
}

void Pieces::record(Event& event, Stream stream) {
  constexpr unsigned kWithoutTime = 2;
  if (!event) check(driver().cuEventCreate(&event, kWithoutTime), "making an event");
  check(driver().cuEventRecord(event, stream), "ordering pieces");
}

}  // namespace engine::cuda
