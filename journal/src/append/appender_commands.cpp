// Command ids: an event of a command that took effect before is refused, so that a command takes
// effect once. The id is looked at before any expected version: the answer to a command that is
// sent again is its first outcome, and not the conflict with its own events.
#include "append/appender.hpp"
#include "append/appender_frames.hpp"
#include "os/assertion.hpp"

#include <algorithm>

namespace pawl::detail {

result<std::optional<command_reference>> appender::admit_command(
    std::span<const metadata_entry> metadata) const noexcept {
    std::optional<command_reference> command;
    if (!commands_.enabled())
        return command;
    const auto entry = std::ranges::find(metadata, metadata_tag::command, &metadata_entry::tag);
    if (entry == metadata.end())
        return command;
    PAWL_ASSERT(entry->value.size() == sizeof(command_reference));
    command.emplace();
    std::memcpy(&*command, entry->value.data(), sizeof *command);
    // A copy takes the log as it is, also where its original had forgotten an id.
    if (is_copying())
        return command;
    if (const remembered_command* known = commands_.find(command->id)) {
        if (auto refused = refuse_known(*command, *known))
            return std::unexpected(std::move(*refused));
    }
    return command;
}

std::optional<error> appender::refuse_known(const command_reference& command,
                                            const remembered_command& known) const noexcept {
    if (known.hash != command.hash) {
        return error{.code = errc::command_id_reused,
                     .sequence = known.first,
                     .reason = "another command with this id took effect before"};
    }
    if (!commands_.is_staged(known)) {
        return error{.code = errc::repeated,
                     .sequence = known.first,
                     .reason = "the command took effect before"};
    }
    // The next event of the command that this batch is adding.
    if (&known == commands_.newest_staged() &&
        known.first + known.events == sequence_ + batch_.events)
        return std::nullopt;
    return error{.code = errc::invalid_argument,
                 .batch_event = batch_.events,
                 .reason = "the events of one command must follow each other in a batch"};
}

void appender::note_command(const std::optional<command_reference>& command,
                            sequence_number sequence, std::uint64_t offset) noexcept {
    if (!command)
        return;
    PAWL_ASSERT(commands_.enabled());
    const remembered_command* before = commands_.newest_staged();
    if (before != nullptr && before->id == command->id && before->hash == command->hash &&
        before->first + before->events == sequence)
        commands_.extend();
    else
        commands_.stage(*command, sequence, pack_position(ordinal_, offset));
}

void appender::keep_command(const std::optional<command_reference>& command,
                            const result<receipt>& placed) noexcept {
    if (!placed || !command)
        return;
    note_command(command, placed->sequence, placed->position.offset);
    commands_.keep();
}

result<receipt> appender::append_handled(std::span<const metadata_entry> metadata,
                                         std::span<const std::byte> outcome,
                                         std::uint64_t timestamp_ns) noexcept {
    if (std::ranges::find(metadata, metadata_tag::command, &metadata_entry::tag) ==
        metadata.end()) {
        return std::unexpected(
            error{.code = errc::invalid_argument,
                  .reason = "append_handled: the metadata does not name the command"});
    }
    if (std::ranges::find(metadata, metadata_tag::tags, &metadata_entry::tag) != metadata.end()) {
        return std::unexpected(error{.code = errc::invalid_argument,
                                     .reason = "append_handled: a command without events names no "
                                               "tags, or it could be a conflict for others"});
    }
    if (outcome.size() > max_outcome_bytes) {
        return std::unexpected(error{.code = errc::too_large,
                                     .size = outcome.size(),
                                     .limit = max_outcome_bytes,
                                     .reason = "append_handled: the outcome has a limit"});
    }
    return append_with_more({.type = static_cast<std::uint16_t>(reserved_type::handled),
                             .timestamp_ns = timestamp_ns,
                             .metadata = metadata},
                            outcome);
}

}  // namespace pawl::detail
