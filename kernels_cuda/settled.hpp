// kernels_cuda/settled.hpp - an answer that is looked for until it is final, and kept from then on.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>

namespace engine::cuda {

/// `Answer` has a member is_final. One object per type of answer, of static storage.
template <class Answer>
class Settled {
 public:
  /// The final answer, or what find() gives this time: valid until the calling thread asks again.
  template <class Find>
  const Answer& get(Find find) {
    if (const Answer* answer = final_.load(std::memory_order_acquire)) return *answer;
    const std::lock_guard lock(mutex_);
    if (const Answer* answer = final_.load(std::memory_order_acquire)) return *answer;
    auto found = std::make_unique<Answer>(find());
    if (!found->is_final) {
      static thread_local std::unique_ptr<Answer> latest;
      latest = std::move(found);
      return *latest;
    }
    final_.store(found.get(), std::memory_order_release);
    return *found.release();  // for the life of the process: kernels are unloaded after static destruction began
  }

 private:
  std::atomic<const Answer*> final_{nullptr};
  std::mutex mutex_;
};

}  // namespace engine::cuda
