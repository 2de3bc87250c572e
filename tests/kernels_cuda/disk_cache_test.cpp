// The cache of kernels under attack: whatever its folder and its files come to, it gives what was put in or nothing, and the folder
// stays within its size. What the engine makes of it with a compiler is in cache_test.py.
#include "kernels_cuda/disk_cache.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <random>
#include <thread>

#include "tests/kernels_cuda/failing_io.hpp"

namespace engine::cuda {
namespace {

namespace fs = std::filesystem;

std::string key_of(int n) {
  return "versions and options\nkernel " + std::to_string(n) + std::string(static_cast<std::size_t>(n % 97), 'k');
}

/// What belongs to a key, of another length and content for each.
Image image_of(int n) {
  std::mt19937 random(static_cast<unsigned>(n));
  Image image{std::string(static_cast<std::size_t>(n * 37 % 400), '\0'), n % 2 == 1};
  for (char& c : image.bytes) c = static_cast<char>(random());
  return image;
}

/// True where it is there, which it then is as it was put in.
bool is_kept(int n) {
  Image image{"what was there before", false};
  if (!read_cache(key_of(n), image)) return false;
  EXPECT_EQ(image, image_of(n)) << "kernel " << n;
  return true;
}

std::string contents(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}
void put(const fs::path& path, const std::string& bytes) { std::ofstream(path, std::ios::binary) << bytes; }

class DiskCache : public testing::Test {
 protected:
  DiskCache() {
    std::string name = (fs::temp_directory_path() / "engine-cache-XXXXXX").string();
    EXPECT_NE(mkdtemp(name.data()), nullptr);
    root_ = name;
    use(root_ / "kernels");
    unsetenv("ENGINE_CACHE_BYTES");
  }
  ~DiskCache() override {
    failing::fail("", 0, 0, false);
    std::error_code ignored;
    fs::remove_all(root_, ignored);
  }
  void use(const fs::path& folder) {
    folder_ = folder;
    setenv("ENGINE_CACHE_DIR", folder.c_str(), 1);
  }
  std::vector<fs::path> files() const {
    std::vector<fs::path> found;
    if (fs::is_directory(folder_))
      for (const auto& file : fs::directory_iterator(folder_)) found.push_back(file.path());
    std::sort(found.begin(), found.end());
    return found;
  }
  fs::path only_file() const {
    EXPECT_EQ(files().size(), 1u);
    return files().at(0);
  }
  static std::size_t open_files() {
    return static_cast<std::size_t>(std::distance(fs::directory_iterator("/proc/self/fd"), fs::directory_iterator()));
  }
  /// Runs work() in a process of its own; what it returns is its exit status.
  template <class Work>
  static int in_a_child(Work work) {
    const pid_t child = fork();
    if (child == 0) _exit(work());
    int status = 0;
    waitpid(child, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  }

  fs::path root_, folder_;
};

TEST_F(DiskCache, GivesWhatWasPutInAndNothingElse) {
  EXPECT_FALSE(is_kept(1));
  for (int n = 0; n < 20; ++n) write_cache(key_of(n), image_of(n));
  for (int n = 0; n < 20; ++n) EXPECT_TRUE(is_kept(n));
  EXPECT_FALSE(is_kept(20));
  EXPECT_EQ(files().size(), 20u);
}

TEST_F(DiskCache, TakesNoEntryWithAnyBitFlipped) {
  for (int n = 0; n < 20; ++n) {
    write_cache(key_of(n), image_of(n));
    const fs::path file = only_file();
    const std::string good = contents(file);
    for (std::size_t at = 0; at < good.size(); ++at) {
      std::string bad = good;
      bad[at] = static_cast<char>(bad[at] ^ (1 << (at % 8)));
      put(file, bad);
      ASSERT_FALSE(is_kept(n)) << "kernel " << n << ", byte " << at;
    }
    fs::remove(file);
  }
}

TEST_F(DiskCache, TakesNoEntryCutShortOrGoingOn) {
  for (int n = 0; n < 20; ++n) {
    write_cache(key_of(n), image_of(n));
    const fs::path file = only_file();
    const std::string good = contents(file);
    for (std::size_t size = 0; size < good.size(); ++size) {
      put(file, good.substr(0, size));
      ASSERT_FALSE(is_kept(n)) << "kernel " << n << ", " << size << " bytes of " << good.size();
    }
    put(file, good + good);
    EXPECT_FALSE(is_kept(n));
    put(file, good);
    EXPECT_TRUE(is_kept(n));
    fs::remove(file);
  }
}

TEST_F(DiskCache, LivesWithTheFailureOfEveryCall) {
  for (int n = 0; n < 3; ++n) write_cache(key_of(n), image_of(n));
  const auto work = [] {
    is_kept(0);
    write_cache(key_of(5), image_of(5));
    is_kept(5);
    setenv("ENGINE_CACHE_BYTES", "600", 1);  // so that it forgets
    write_cache(key_of(60), image_of(60));
    unsetenv("ENGINE_CACHE_BYTES");
    cache_state();
  };
  int cases = 0;
  for (const std::string& name : failing::names()) {
    failing::fail("", 0, 0, false);
    work();
    const int n = failing::calls(name);
    EXPECT_GT(n, 0) << name << " is not called";
    const bool moves = name == "read" || name == "write";
    for (const int error : {EIO, ENOSPC, EACCES, EINTR, EMFILE, failing::kShort})
      for (int nth = 1; nth <= n; ++nth)
        for (const bool always : {false, true}) {
          if ((error == failing::kShort && !moves) || (error == EINTR && always)) continue;
          const std::size_t before = open_files();
          failing::fail(name, nth, error, always);
          work();
          failing::fail("", 0, 0, false);
          ASSERT_EQ(open_files(), before) << name << " call " << nth << " fails with " << error;
          for (int k = 0; k < 6; ++k) is_kept(k);
          write_cache(key_of(5), image_of(5));
          ASSERT_TRUE(is_kept(5)) << name << " call " << nth << " fails with " << error;
          ++cases;
        }
  }
  EXPECT_GT(cases, 300);
}

TEST_F(DiskCache, SurvivesWritersThatAreKilled) {
  std::mt19937 random(1);
  for (int round = 0; round < 1000; ++round) {
    const pid_t child = fork();
    if (child == 0) {
      for (int n = round;; n = (n * 7 + 1) % 64) write_cache(key_of(n % 64), image_of(n % 64));
    }
    usleep(random() % 700);
    kill(child, SIGKILL);
    waitpid(child, nullptr, 0);
    const int n = static_cast<int>(random() % 64);
    is_kept(n);
  }
  int kept = 0;
  for (int n = 0; n < 64; ++n) {
    kept += is_kept(n);
    write_cache(key_of(n), image_of(n));
    EXPECT_TRUE(is_kept(n));
  }
  EXPECT_GT(kept, 0);
  // What the killed ones left goes when it is old.
  const struct timespec old[2] = {{1000, 0}, {1000, 0}};
  for (const fs::path& file : files())
    if (file.extension() != ".kernel") utimensat(AT_FDCWD, file.c_str(), old, 0);
  write_cache(key_of(0), image_of(0));
  EXPECT_EQ(files().size(), 64u);
}

TEST_F(DiskCache, ServesThirtyTwoProcessesThatRaceForAHundredKernels) {
  std::vector<pid_t> children;
  for (unsigned seed = 0; seed < 32; ++seed) {
    const pid_t child = fork();
    if (child == 0) {
      std::vector<int> order(100);
      for (int n = 0; n < 100; ++n) order[static_cast<std::size_t>(n)] = n;
      std::shuffle(order.begin(), order.end(), std::mt19937(seed));
      for (const int n : order) {
        if (!is_kept(n)) write_cache(key_of(n), image_of(n));
        if (!is_kept(n)) _exit(2);
      }
      _exit(testing::Test::HasFailure());
    }
    children.push_back(child);
  }
  for (const pid_t child : children) {
    int status = 0;
    waitpid(child, &status, 0);
    EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << status;
  }
  EXPECT_EQ(files().size(), 100u);
  for (int n = 0; n < 100; ++n) EXPECT_TRUE(is_kept(n));
}

TEST_F(DiskCache, ForgetsWhatWasUnusedForLongest) {
  for (int n = 0; n < 40; ++n) {
    write_cache(key_of(n), image_of(n));
    const auto known = files();
    for (const fs::path& file : known)
      if (fs::last_write_time(file) > fs::file_time_type::clock::now() - std::chrono::hours(1)) {
        const struct timespec used[2] = {{10000 + n, 0}, {10000 + n, 0}};
        utimensat(AT_FDCWD, file.c_str(), used, 0);
      }
  }
  EXPECT_TRUE(is_kept(0));  // used now
  std::uintmax_t size = 0;
  for (const fs::path& file : files()) size += fs::file_size(file);
  setenv("ENGINE_CACHE_BYTES", std::to_string(size / 2).c_str(), 1);
  write_cache(key_of(50), image_of(50));
  std::uintmax_t left = 0;
  for (const fs::path& file : files()) left += fs::file_size(file);
  EXPECT_LE(left, size / 2);
  EXPECT_TRUE(is_kept(0) && is_kept(50) && is_kept(39));
  EXPECT_FALSE(is_kept(1));
}

/// Mounts a tmpfs on the folder in a child's own namespace, and works there.
template <class Work>
int on_tmpfs(const fs::path& folder, unsigned long flags, const char* options, Work work) {
  return work(mount("tmpfs", folder.c_str(), "tmpfs", flags, options) == 0);
}

constexpr int kCannotMount = 77;

TEST_F(DiskCache, WorksOnAFullDisk) {
  fs::create_directory(folder_);
  const int status = in_a_child([&] {
    if (unshare(CLONE_NEWNS) != 0 || mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) return kCannotMount;
    return on_tmpfs(folder_, 0, "size=16k,mode=0700", [&](bool mounted) {
      if (!mounted) return kCannotMount;
      for (int n = 0; n < 64; ++n) {
        write_cache(key_of(n), image_of(n));
        is_kept(n);
      }
      int kept = 0;
      for (int n = 0; n < 64; ++n) kept += is_kept(n);
      for (const fs::path& file : files())
        if (file.extension() != ".kernel") return 3;
      return testing::Test::HasFailure() || kept == 0 || kept == 64 ? 1 : 0;
    });
  });
  if (status == kCannotMount) GTEST_SKIP() << "a file system cannot be mounted here";
  EXPECT_EQ(status, 0);
}

TEST_F(DiskCache, WorksWhereNothingMayBeExecutedAndWhereNothingMayBeWritten) {
  fs::create_directory(folder_);
  const int status = in_a_child([&] {
    if (unshare(CLONE_NEWNS) != 0 || mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) return kCannotMount;
    return on_tmpfs(folder_, MS_NOEXEC, "mode=0700", [&](bool mounted) {
      if (!mounted) return kCannotMount;
      write_cache(key_of(1), image_of(1));
      if (!is_kept(1)) return 1;
      if (mount("none", folder_.c_str(), nullptr, MS_REMOUNT | MS_RDONLY, "mode=0700") != 0) return kCannotMount;
      write_cache(key_of(2), image_of(2));
      return is_kept(1) && !is_kept(2) && !testing::Test::HasFailure() ? 0 : 2;
    });
  });
  if (status == kCannotMount) GTEST_SKIP() << "a file system cannot be mounted here";
  EXPECT_EQ(status, 0);
}

TEST_F(DiskCache, TrustsNoFolderOfSomeoneElse) {
  write_cache(key_of(1), image_of(1));
  ASSERT_TRUE(is_kept(1));
  if (chown(folder_.c_str(), 12345, 12345) != 0) GTEST_SKIP() << "folders cannot be given away here";
  EXPECT_FALSE(is_kept(1));
  write_cache(key_of(2), image_of(2));
  EXPECT_EQ(files().size(), 1u);
  EXPECT_NE(cache_state().reason, "");
}

TEST_F(DiskCache, TrustsNoFolderThatOthersMayUseNoLinkAndNoFile) {
  write_cache(key_of(1), image_of(1));
  for (const mode_t mode : {0770u, 0702u, 0740u, 0701u}) {
    chmod(folder_.c_str(), mode);
    EXPECT_FALSE(is_kept(1)) << mode;
  }
  chmod(folder_.c_str(), 0700);
  EXPECT_TRUE(is_kept(1));
  fs::rename(folder_, root_ / "elsewhere");
  fs::create_symlink(root_ / "elsewhere", folder_);
  EXPECT_FALSE(is_kept(1));
  fs::remove(folder_);
  ASSERT_EQ(mkfifo(folder_.c_str(), 0700), 0);
  EXPECT_FALSE(is_kept(1));
  write_cache(key_of(1), image_of(1));
  fs::remove(folder_);
  unsetenv("ENGINE_CACHE_DIR");
  setenv("XDG_CACHE_HOME", "", 1);
  setenv("HOME", "", 1);
  write_cache(key_of(1), image_of(1));
  EXPECT_FALSE(is_kept(1));
}

TEST_F(DiskCache, WaitsForNoFifoAndFollowsNoLinkInThePlaceOfAnEntry) {
  write_cache(key_of(1), image_of(1));
  const fs::path file = only_file();
  fs::rename(file, root_ / "kept");
  fs::create_symlink(root_ / "kept", file);
  EXPECT_FALSE(is_kept(1));
  fs::remove(file);
  ASSERT_EQ(mkfifo(file.c_str(), 0600), 0);
  EXPECT_FALSE(is_kept(1));
  write_cache(key_of(1), image_of(1));
  EXPECT_TRUE(is_kept(1));
  fs::remove(file);
  fs::create_directory(file);
  EXPECT_FALSE(is_kept(1));
  write_cache(key_of(1), image_of(1));
  EXPECT_EQ(files().size(), 1u);  // and nothing left beside it
}

TEST_F(DiskCache, PutsNothingIntoAFolderThatIsSwappedForALinkMeanwhile) {
  const fs::path trap = root_ / "trap", mine = root_ / "mine";
  fs::create_directory(trap);
  fs::create_directory(folder_);
  chmod(trap.c_str(), 0777);
  chmod(folder_.c_str(), 0700);
  std::atomic<bool> stop{false};
  std::thread swapper([&] {
    while (!stop) {
      rename(folder_.c_str(), mine.c_str());
      if (symlink(trap.c_str(), folder_.c_str()) == 0) unlink(folder_.c_str());
      rename(mine.c_str(), folder_.c_str());
    }
  });
  for (int n = 0; n < 1000; ++n) {
    write_cache(key_of(n % 32), image_of(n % 32));
    is_kept(n % 32);
  }
  stop = true;
  swapper.join();
  EXPECT_TRUE(fs::is_empty(trap));
}

TEST_F(DiskCache, IsListedAndCleared) {
  for (int n = 0; n < 3; ++n) write_cache(key_of(n), image_of(n));
  put(folder_ / "0.kernel", "damaged");
  put(folder_ / "1.kernel.77.0", "left by a writer");
  put(folder_ / "README", "the user's own");
  const KernelCache listed = cache_state();
  EXPECT_EQ(listed.folder, folder_.string());
  ASSERT_EQ(listed.kernels.size(), 4u);
  int damaged = 0;
  for (const CachedKernel& kernel : listed.kernels) {
    damaged += kernel.made_by.empty();
    EXPECT_TRUE(kernel.made_by.empty() || kernel.made_by == "versions and options");
    EXPECT_EQ(kernel.bytes, fs::file_size(folder_ / kernel.name));
  }
  EXPECT_EQ(damaged, 1);
  EXPECT_EQ(clear_cache(), 4u);
  ASSERT_EQ(files().size(), 1u);
  EXPECT_EQ(files()[0].filename(), "README");
  EXPECT_EQ(clear_cache(), 0u);
}

}  // namespace
}  // namespace engine::cuda
