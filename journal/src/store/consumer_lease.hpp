// A consumer's file while this process holds its lease.
//
// The two blocks take turns, so that one is always whole and on stable storage: `synced_slot_`. A
// commit that is not synced goes into the other block, and so do further ones, over each other. One
// that is to be synced is marked as settled, goes into that block as well, and once it is synced
// the roles change. A crash at any point leaves the newest commit or, if that block is torn, the
// last one that was synced: events are repeated, never skipped. A prune goes by the same rule: it
// believes a settled block after syncing it, and otherwise the older position of the two.
#pragma once

#include "format/consumer_layout.hpp"
#include "os/directory_handle.hpp"
#include "os/file.hpp"
#include "store/consumer_file.hpp"

#include <sys/types.h>

#include <pawl/journal/consumer.hpp>
#include <pawl/journal/error.hpp>
#include <pawl/journal/types.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace pawl::detail {

class consumer_lease {
  public:
    [[nodiscard]] static result<std::unique_ptr<consumer_lease>> open(
        const std::filesystem::path& directory, std::string_view name, consumer_options options);
    consumer_lease(const consumer_lease&) = delete;
    consumer_lease& operator=(const consumer_lease&) = delete;
    ~consumer_lease();

    [[nodiscard]] const consumer_position& position() const noexcept { return position_; }
    [[nodiscard]] from_point resume_from() const noexcept;
    [[nodiscard]] result<void> commit(const consumer_position& position);
    [[nodiscard]] result<void> sync();
    [[nodiscard]] std::chrono::steady_clock::time_point sync_due() const noexcept;
    [[nodiscard]] result<void> close();

  private:
    enum class durability : std::uint8_t { written, synced };

    // Where a new consumer begins, and the log's first segment when that was asked for.
    struct beginning {
        consumer_position position{};
        std::uint64_t log_ordinal = 0;
    };

    consumer_lease(directory_handle journal, directory_handle consumers, std::string name,
                   consumer_options options, const journal_identity& identity);
    [[nodiscard]] result<void> acquire();
    [[nodiscard]] result<std::optional<beginning>> ask_begin() const;
    [[nodiscard]] result<bool> make_ready(const std::optional<beginning>& asked);
    [[nodiscard]] result<void> take_over();
    [[nodiscard]] result<void> create();
    [[nodiscard]] result<void> detach_from_other_links();
    [[nodiscard]] result<void> adopt();
    [[nodiscard]] result<void> check_selection() const;
    [[nodiscard]] result<void> check_usable() const;
    [[nodiscard]] result<void> check_named() const;
    [[nodiscard]] result<void> check_kept(const consumer_position& position) const;
    void set_position(consumer_block& block, const consumer_position& position) const noexcept;
    void set_selection(consumer_block& block) const noexcept;
    [[nodiscard]] result<void> store(consumer_block next, durability how);
    void release() noexcept;

    directory_handle directory_;
    directory_handle consumers_;
    std::string name_;
    consumer_options options_;
    journal_identity journal_;
    pid_t process_;
    file file_;
    consumer_block block_{};  // what was stored last
    consumer_position position_{};
    std::size_t synced_slot_ = 0;
    bool unsynced_ = false;  // block_ is in the other slot, and not settled
    std::chrono::steady_clock::time_point synced_at_{};
    std::optional<error> failure_;
};

}  // namespace pawl::detail
