// The new journal of a salvage: takes events, names and descriptions in the order of the old one.
#pragma once

#include <pawl/journal/cursor.hpp>
#include <pawl/journal/error.hpp>
#include <pawl/journal/event.hpp>
#include <pawl/journal/journal.hpp>
#include <pawl/journal/types.hpp>
#include <pawl/journal/writer.hpp>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <unordered_map>
#include <utility>
#include <vector>

namespace pawl::cli {

class journal_copy {
  public:
    // Creates the journal, or opens one that an earlier attempt left.
    [[nodiscard]] static result<journal_copy> open(const std::filesystem::path& directory,
                                                   const journal_info& of,
                                                   bool allow_network_file_system = false);

    [[nodiscard]] result<void> take(const event& e);
    // An event that could not be read.
    [[nodiscard]] result<void> take_lost();
    [[nodiscard]] result<void> take(const recorded_name& name);
    [[nodiscard]] result<void> take(const recorded_description& description);

    // The sequence of the event to be taken next.
    [[nodiscard]] sequence_number next() const noexcept { return next_; }
    [[nodiscard]] std::uint64_t renumbered() const noexcept { return renumbered_; }
    [[nodiscard]] std::uint64_t names_lost() const noexcept { return names_lost_; }
    // Fails with diverged if the journal holds more than was taken.
    [[nodiscard]] result<void> close();

  private:
    struct pending_event {
        event_header header{};
        stream_version version = 0;  // in the old journal
        std::vector<std::byte> metadata;
        std::vector<std::byte> payload;
        std::vector<metadata_entry> entries;  // in `metadata`
    };

    explicit journal_copy(writer log) : log_{std::move(log)}, resume_at_{log_.next_sequence()} {}

    // The event that an earlier attempt has written here; nothing once those are passed.
    [[nodiscard]] result<const event*> earlier();
    [[nodiscard]] error other_journal() const;
    [[nodiscard]] result<void> name_streams_up_to(stream_id stream);
    [[nodiscard]] result<void> write_pending();
    void note(stream_version before, stream_version now) { renumbered_ += before != now ? 1 : 0; }

    writer log_;
    sequence_number resume_at_;  // what an earlier attempt has written ends here
    std::optional<cursor> earlier_;
    sequence_number next_ = 0;
    std::uint64_t last_ns_ = 0;
    std::vector<pending_event> pending_;  // a batch, until its last event comes
    std::unordered_map<stream_id, recorded_name> known_names_;
    std::uint64_t named_ = 0;  // streams that have a name
    std::uint64_t renumbered_ = 0;
    std::uint64_t names_lost_ = 0;
};

}  // namespace pawl::cli
