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

// Prepares files on its own thread: allocates, maps and populates one file ahead of the writer, and
// releases full ones. It does not sync, seal or read them. The extra cost of a loop over these
// files, compared with a loop over one prepared file, is the cost of fresh pages on this machine
// for any writer.
class fresh_files {
  public:
    // Keeps the thread off `writer_core` if there is another core.
    fresh_files(std::filesystem::path directory, std::size_t bytes, int writer_core);
    ~fresh_files();
    fresh_files(const fresh_files&) = delete;
    fresh_files& operator=(const fresh_files&) = delete;

    // Returns the next file, after waiting until it is ready, and releases the previous one. Throws
    // the thread's failure.
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
