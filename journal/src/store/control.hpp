// The control file: live status for readers and operators, and the durable watermark on stable
// storage.
#pragma once

#include "format/directory_layout.hpp"
#include "os/directory_handle.hpp"
#include "os/mapping.hpp"

#include <pawl/journal/error.hpp>
#include <pawl/journal/types.hpp>

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

namespace pawl::detail {

// The writer's side.
class control_page {
  public:
    // Replaces the file by this writer's own, whose watermark is the greater of the old one and
    // `synced`, up to which the recovery has just put the log on stable storage. So a copy made of
    // hard links keeps its file, and no crash loses the proof that tells damage from a torn tail.
    // If there is no room for a new file, the old one is used again, unless it has another name.
    [[nodiscard]] static result<control_page> open_for_writing(const directory_handle& directory,
                                                               const journal_id& id,
                                                               sequence_number synced);

    control_page(control_page&&) noexcept = default;
    control_page& operator=(control_page&&) noexcept = default;

    void set_durable(sequence_number durable) const noexcept;
    void set_published(sequence_number published) const noexcept;
    void beat() const noexcept;  // heartbeat
    void set_state(control_state state, int os_error) const noexcept;
    void set_owner() const noexcept;
    void set_statistics(const control_statistics& now) const noexcept;
    // Increments the wake word and wakes readers that sleep on it.
    void wake_readers() const noexcept;

    // Puts the watermark on stable storage, in the block that does not hold the last one.
    [[nodiscard]] result<void> store_watermark(sequence_number durable);

  private:
    control_page(mapping bytes, const journal_id& id) noexcept;
    mapping bytes_;
    std::uint64_t id_word_ = 0;
    std::uint64_t generation_ = 0;
    friend class control_view;
};

// A reader's side.
class control_view {
  public:
    // not_found if there is none; damaged if it is not this journal's.
    [[nodiscard]] static result<control_view> open(const directory_handle& directory,
                                                   const journal_id& id);

    // Whether the mapped file is the one that has the name `control` now.
    [[nodiscard]] bool has_its_name(const directory_handle& directory) const;

    // The durable watermark of the live status; nullopt while it is being changed, or if it is
    // wrong.
    [[nodiscard]] std::optional<sequence_number> durable() const noexcept;
    [[nodiscard]] sequence_number published() const noexcept;
    [[nodiscard]] std::uint64_t heartbeat_ns() const noexcept;
    [[nodiscard]] std::uint64_t state() const noexcept;
    [[nodiscard]] int os_error() const noexcept;
    // Each word is one that the writer has stored, but they are not all of one moment.
    [[nodiscard]] control_statistics statistics() const noexcept;
    // The process, program, host and boot of the last writer, as text.
    [[nodiscard]] std::string owner() const;
    // The watermark that was on stable storage; 0 if there is none.
    [[nodiscard]] sequence_number stored_watermark() const noexcept;

    // Sleeps until the wake word is no longer `seen`, or for `timeout_ns`.
    void sleep(std::uint32_t seen, std::uint64_t timeout_ns) const noexcept;
    [[nodiscard]] std::uint32_t wake_word() const noexcept;

  private:
    control_view(mapping bytes, const journal_id& id, file_identity which) noexcept;
    mapping bytes_;
    std::uint64_t id_word_ = 0;
    file_identity which_{};
};

}  // namespace pawl::detail
