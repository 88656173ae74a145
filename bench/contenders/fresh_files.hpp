#pragma once

#include "measure/mapping.hpp"

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <filesystem>
#include <mutex>
#include <optional>
#include <thread>

namespace bench {

// Files that a thread of its own allocates, maps and makes present, one ahead of whoever fills
// them, and lets go of when they are full. It does nothing else: it neither syncs, nor seals, nor
// looks at what is in them. What a loop over such files costs more than one over a file that was
// there all along is what fresh pages cost on this machine, whoever writes to them.
class fresh_files {
  public:
    // The thread may not run on `writer_core`, where there is another.
    fresh_files(std::filesystem::path directory, std::size_t bytes, int writer_core);
    ~fresh_files();
    fresh_files(const fresh_files&) = delete;
    fresh_files& operator=(const fresh_files&) = delete;

    // The next file, waited for where it is not ready; the one before it goes back. Throws what the
    // thread met.
    [[nodiscard]] mapping& next();

  private:
    void prepare(int writer_core);

    std::filesystem::path directory_;
    std::size_t bytes_;
    std::mutex mutex_;
    std::condition_variable changed_;
    std::optional<mapping> ready_;
    std::optional<mapping> used_;
    std::optional<mapping> left_;
    std::exception_ptr failure_;
    bool stopping_ = false;
    std::thread thread_;
};

}  // namespace bench
