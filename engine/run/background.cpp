// run/background.cpp - see background.hpp.
#include "engine/run/background.hpp"

#include <pthread.h>
#include <signal.h>

#include <condition_variable>
#include <deque>
#include <mutex>
#include <system_error>
#include <thread>
#include <unordered_set>
#include <utility>

namespace engine::run {
namespace {

/// Numbers of jobs that ended, at most: then they are forgotten, and may be done again.
constexpr std::size_t kMostEnded = 4096;
/// Jobs that wait, at most.
constexpr std::size_t kMostWaiting = 256;

class Worker {
 public:
  Background take(std::uint64_t number, std::function<void()> job) {
    const std::lock_guard lock(mutex_);
    if (is_forked_ || ended_.contains(number)) return Background::Ended;
    if (under_way_.contains(number)) return Background::UnderWay;
    if (jobs_.size() >= kMostWaiting || !is_allowed_) return Background::Ended;
    jobs_.emplace_back(number, std::move(job));
    try {
      under_way_.insert(number);
      if (!thread_.joinable()) start();
    } catch (...) {
      under_way_.erase(number);
      jobs_.pop_back();
      return Background::Ended;
    }
    changed_.notify_all();
    return Background::UnderWay;
  }

  void wait() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return is_forked_ || under_way_.empty(); });
  }

  void allow(bool is_allowed) {
    std::thread ended;
    {
      const std::lock_guard lock(mutex_);
      is_allowed_ = is_allowed;
      if (is_allowed || is_forked_) return;
      for (const auto& [number, job] : jobs_) under_way_.erase(number);
      jobs_.clear();
      std::swap(ended, thread_);
      ++generation_;
    }
    changed_.notify_all();
    if (ended.joinable()) ended.join();
  }

  void before_fork() { mutex_.lock(); }
  void after_fork() { mutex_.unlock(); }
  void in_child() {
    is_forked_ = true;  // the thread is its parent's
    mutex_.unlock();
  }

 private:
  /// Its signals are for others to handle.
  void start() {
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    try {
      thread_ = std::thread([this, generation = generation_] { run(generation); });
    } catch (const std::system_error&) {
      pthread_sigmask(SIG_SETMASK, &before, nullptr);
      throw;
    }
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
  }

  void run(std::uint64_t generation) {
    std::unique_lock lock(mutex_);
    while (true) {
      changed_.wait(lock, [&] { return generation != generation_ || !jobs_.empty(); });
      if (generation != generation_) return;
      auto [number, job] = std::move(jobs_.front());
      jobs_.pop_front();
      lock.unlock();
      try {
        job();
      } catch (...) {  // whoever needs what it was to make will make it, and be told
      }
      job = nullptr;
      lock.lock();
      under_way_.erase(number);
      try {
        if (ended_.size() >= kMostEnded) ended_.clear();
        ended_.insert(number);
      } catch (const std::bad_alloc&) {  // then it may be done again
      }
      changed_.notify_all();
    }
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::pair<std::uint64_t, std::function<void()>>> jobs_;
  std::unordered_set<std::uint64_t> under_way_, ended_;
  std::thread thread_;
  std::uint64_t generation_ = 0;  ///< of threads: those before it end
  bool is_allowed_ = false, is_forked_ = false;
};

/// Never destroyed: calls of other threads may outlive main().
Worker& worker() {
  static Worker* const made = [] {
    auto* const created = new Worker;
    pthread_atfork([] { worker().before_fork(); }, [] { worker().after_fork(); }, [] { worker().in_child(); });
    return created;
  }();
  return *made;
}

}  // namespace

void allow_background(bool is_allowed) { worker().allow(is_allowed); }
Background in_background(std::uint64_t number, std::function<void()> job) { return worker().take(number, std::move(job)); }
void wait_for_background() { worker().wait(); }

}  // namespace engine::run
