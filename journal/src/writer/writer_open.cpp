#include "writer/writer_open.hpp"

#include "format/segment_layout.hpp"
#include "os/assertion.hpp"
#include "os/file.hpp"
#include "recovery/recovery.hpp"
#include "store/directory.hpp"
#include "store/heads_rebuild.hpp"
#include "store/lock_holder.hpp"
#include "store/log_begin.hpp"
#include "store/retained.hpp"
#include "writer/journal_at_rest.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <new>
#include <utility>
#include <variant>

namespace pawl::detail {

namespace fs = std::filesystem;

namespace {

[[nodiscard]] result<void> check_options(const writer_options& options) {
    if (options.segment_bytes < min_segment_bytes || options.segment_bytes > max_segment_bytes ||
        options.segment_bytes % min_segment_bytes != 0) {
        return std::unexpected(
            error{.code = errc::invalid_argument,
                  .size = options.segment_bytes,
                  .limit = max_segment_bytes,
                  .reason = "writer_options::segment_bytes must be a multiple of 64 KiB, from 64 "
                            "KiB to 4 GiB"});
    }
    if (!options.background_threads && options.full == when_full::spin) {
        return fail(
            errc::invalid_argument,
            "writer_options::full: without background threads, nothing creates a segment while "
            "an append spins");
    }
    if (options.threads.name.size() > 9) {
        return std::unexpected(
            error{.code = errc::invalid_argument,
                  .size = options.threads.name.size(),
                  .limit = 9,
                  .reason = "writer_options::threads.name may have at most 9 characters"});
    }
    return {};
}

// The directory that contains this directory's entry.
[[nodiscard]] result<directory_handle> parent_of(const fs::path& directory) {
    const fs::path whole = without_trailing_slashes(directory);
    return directory_handle::hold(whole.has_parent_path() ? whole.parent_path() : ".");
}

// Creates the directory and makes its name durable.
[[nodiscard]] result<directory_handle> make_and_hold(const fs::path& directory,
                                                     const writer_options& options) {
    const fs::path whole = without_trailing_slashes(directory);
    auto parent = parent_of(directory);
    if (!parent)
        return std::unexpected(std::move(parent.error()));
    auto made = parent->make_directory(whole.filename().native(), options.mode);
    if (!made)
        return std::unexpected(std::move(made.error()));
    if (auto synced = parent->sync(); !synced)
        return std::unexpected(std::move(synced.error()));
    return directory_handle::hold(directory);
}

// Makes the name of an existing directory durable, too: an earlier open may have created it and
// then failed to sync.
[[nodiscard]] result<void> sync_name_of(const fs::path& directory) {
    auto parent = parent_of(directory);
    auto synced = parent ? parent->sync() : result<void>{std::unexpect, parent.error()};
    // This user may lack the permission to open the parent directory.
    if (!synced && synced.error().os_error == EACCES)
        return {};
    return synced;
}

// Afterwards the directory exists, and it is a journal or may become one.
[[nodiscard]] result<directory_handle> prepare_directory(const fs::path& directory,
                                                         const writer_options& options) {
    auto held = directory_handle::hold(directory);
    const bool absent = !held && held.error().code == errc::not_found;
    if (absent && options.create)
        return make_and_hold(directory, options);
    if (absent)
        return std::unexpected(no_journal_in(directory));
    if (!held)
        return held;
    auto journal = held->has(identity_name);
    if (!journal)
        return std::unexpected(std::move(journal.error()));
    if (*journal)
        return held->giving_as(identity_name);
    auto foreign = foreign_entry(*held);
    if (!foreign)
        return std::unexpected(std::move(foreign.error()));
    if (!options.create || !foreign->empty())
        return std::unexpected(no_journal_in(*held));
    if (auto synced = sync_name_of(directory); !synced)
        return std::unexpected(std::move(synced.error()));
    return held;
}

[[nodiscard]] result<identity> load_identity(const directory_handle& directory,
                                             const writer_options& options) {
    auto there = directory.has(identity_name);
    if (!there)
        return std::unexpected(std::move(there.error()));
    if (!*there)
        return create_identity(directory, options.segment_bytes, options.origin, options.mode);
    auto journal = read_identity(directory);
    if (journal && options.origin != journal_id{} &&
        options.origin != identity_of(*journal).origin) {
        return std::unexpected(error{.code = errc::invalid_argument,
                                     .file = directory.path_of(identity_name).string(),
                                     .detail = "writer_options::origin names another journal than "
                                               "the one that this directory is a copy of"});
    }
    return journal;
}

[[nodiscard]] std::string octal(std::uint32_t mode) {
    std::array<char, 16> text{};
    const auto end = std::to_chars(text.data(), text.data() + text.size(), mode, 8).ptr;
    return {text.data(), end};
}

// Reports options that the caller set but that an existing journal overrides. A default does not
// count as set.
void note_ignored_options(const writer_parts& parts, recovery_report& report) {
    const writer_options& options = parts.options;
    const writer_options defaults;
    if (options.segment_bytes != defaults.segment_bytes &&
        options.segment_bytes != parts.segment_bytes) {
        report.notices.push_back(
            "the journal was created with segments of " + std::to_string(parts.segment_bytes) +
            " bytes; the option segment_bytes = " + std::to_string(options.segment_bytes) +
            " is ignored");
    }
    const auto& files = parts.directory.attributes();
    if (files && options.mode != defaults.mode && options.mode != files->mode) {
        report.notices.push_back("new files have the mode of journal.pawl, " + octal(files->mode) +
                                 "; the option mode = " + octal(options.mode) + " is ignored");
    }
}

[[nodiscard]] result<void> load_streams_and_commands(writer_parts& parts) {
    PAWL_ASSERT(parts.active.has_value());
    const auto begin = read_log_begin(parts.directory, parts.id);
    if (!begin)
        return std::unexpected(begin.error());
    auto ordinals = list_log(parts.directory, *begin);
    if (!ordinals)
        return std::unexpected(std::move(ordinals.error()));
    std::erase_if(*ordinals,
                  [&](std::uint64_t ordinal) { return ordinal >= parts.active->header.ordinal; });
    unindexed_commands unindexed;
    auto heads = load_heads(parts.directory, parts.id, parts.options.expected_streams, *ordinals,
                            &unindexed);
    if (!heads)
        return std::unexpected(std::move(heads.error()));
    parts.heads = std::move(*heads);
    auto commands = load_commands(parts.directory, parts.id, *ordinals,
                                  parts.options.command_window, unindexed);
    if (!commands)
        return std::unexpected(std::move(commands.error()));
    parts.commands = std::move(*commands);
    if (begin->is_pruned() && parts.commands.size() < parts.options.command_window) {
        const auto kept = read_retained(parts.directory, parts.id);
        if (!kept)
            return std::unexpected(kept.error());
        if (*kept)
            add_retained(parts.commands, (*kept)->commands, parts.options.command_window);
    }
    parts.to_scrub = std::move(*ordinals);
    return {};
}

[[nodiscard]] result<writer_parts> acquire_parts(const fs::path& path,
                                                 const writer_options& options,
                                                 open_purpose purpose) {
    const auto room = purpose == open_purpose::recover ? min_segment_bytes : no_value;
    if (auto fine = check_options(options); !fine)
        return std::unexpected(std::move(fine.error()));
    if (!options.allow_network_file_system) {
        if (auto local = refuse_network_file_system(path); !local)
            return std::unexpected(std::move(local.error()));
    }
    auto prepared = prepare_directory(path, options);
    if (!prepared)
        return std::unexpected(std::move(prepared.error()));
    directory_handle directory = std::move(*prepared);
    writer_parts parts{.directory = directory, .options = options};
    auto lock = writer_lock::acquire(directory, options.mode);
    if (!lock)
        return std::unexpected(name_holder(std::move(lock.error()), directory));
    parts.lock = std::move(*lock);
    auto journal = load_identity(directory, options);
    if (!journal)
        return std::unexpected(std::move(journal.error()));
    if (auto may = check_may_change(directory, *journal); !may)
        return std::unexpected(std::move(may.error()));
    if (auto held = parts.lock->hold_identity(); !held)
        return std::unexpected(name_holder(std::move(held.error()), directory));
    // From here on every new file gets the attributes of journal.pawl, whatever the umask and the
    // user, even in a new journal.
    auto owned = directory.giving_as(identity_name);
    if (!owned)
        return std::unexpected(std::move(owned.error()));
    directory = std::move(*owned);
    parts.directory = directory;
    parts.identity = identity_of(*journal);
    parts.id = parts.identity.id;
    parts.segment_bytes = journal->segment_bytes;

    auto recovered = recover_log({.directory = directory,
                                  .journal = *journal,
                                  .verify = options.verify,
                                  .allocate_bytes = room});
    if (!recovered)
        return std::unexpected(std::move(recovered.error()));
    auto control =
        control_page::open_for_writing(directory, parts.id, recovered->report.next_sequence);
    if (!control)
        return std::unexpected(std::move(control.error()));
    parts.control = std::move(*control);
    if (const auto* wanted = std::get_if<wanted_segment>(&recovered->next)) {
        auto made = create_segment({.directory = directory,
                                    .id = parts.id,
                                    .ordinal = wanted->ordinal,
                                    .segment_bytes = parts.segment_bytes,
                                    .before = wanted->before,
                                    .allocate_bytes = room});
        if (!made)
            return std::unexpected(std::move(made.error()));
        recovered->next = std::move(*made);
    }
    parts.active = std::move(std::get<writable_segment>(recovered->next));
    PAWL_ASSERT(parts.active->bytes.size() == parts.segment_bytes);
    parts.report = std::move(recovered->report);
    PAWL_ASSERT(parts.report.durable <= parts.report.next_sequence);
    note_ignored_options(parts, parts.report);
    parts.to_seal = std::move(recovered->to_seal);
    PAWL_ASSERT(std::ranges::is_sorted(parts.to_seal));
    PAWL_ASSERT(parts.to_seal.empty() || parts.to_seal.back() < parts.active->header.ordinal);
    if (auto loaded = load_streams_and_commands(parts); !loaded) {
        return std::unexpected(std::move(loaded.error()));
    }
    return parts;
}

}  // namespace

result<std::unique_ptr<writer_state>> open_writer(const fs::path& directory,
                                                  const writer_options& options,
                                                  open_purpose purpose) {
    try {
        auto parts = acquire_parts(directory, options, purpose);
        if (!parts)
            return std::unexpected(std::move(parts.error()));
        return writer_state::create(std::move(*parts));
    } catch (const std::bad_alloc&) {
        return fail(errc::out_of_memory);
    }
}

}  // namespace pawl::detail
