// The thread of a snapshot_follower, without the types of its fold.
#pragma once

#include <pawl/journal/error.hpp>
#include <pawl/journal/options.hpp>
#include <pawl/journal/types.hpp>

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>

namespace pawl::detail {

struct follower_counters {
    sequence_number next_sequence = 0;
    std::uint64_t snapshots = 0;
    std::uint64_t failures = 0;
};

class follower_thread {
  public:
    // May throw std::bad_alloc, which ends the thread as an error does.
    using body = std::function<result<void>(follower_thread&)>;

    [[nodiscard]] static result<std::unique_ptr<follower_thread>> start(
        const thread_options& options, std::function<void(const error&)> observer, body run);
    follower_thread(const follower_thread&) = delete;
    follower_thread& operator=(const follower_thread&) = delete;
    ~follower_thread();

    // Makes the path absolute, so that it stays valid when the program changes its working
    // directory.
    [[nodiscard]] static std::filesystem::path from_here(const std::filesystem::path& path);

    // For the body, which must check stopping() at least once per `patience`.
    static constexpr std::chrono::milliseconds patience{20};
    [[nodiscard]] bool stopping() const noexcept;
    void reached(sequence_number next) noexcept;
    void took_snapshot() noexcept;
    void failed_snapshot(const error& why);

    // For the owner of this object.
    [[nodiscard]] std::optional<error> failure() const;
    [[nodiscard]] follower_counters counters() const noexcept;
    [[nodiscard]] result<void> stop();

  private:
    struct shared;
    explicit follower_thread(std::unique_ptr<shared> state) noexcept;
    [[nodiscard]] static result<std::unique_ptr<follower_thread>> start_one(
        const thread_options& options, std::function<void(const error&)> observer, body run);
    std::unique_ptr<shared> shared_;
};

}  // namespace pawl::detail
