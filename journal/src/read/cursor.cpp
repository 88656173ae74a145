#include "os/file.hpp"
#include "read/cursor_state.hpp"
#include "store/directory.hpp"

#include <pawl/journal/cursor.hpp>

#include <new>
#include <utility>

namespace pawl {

std::string_view to_string(end_of_journal end) noexcept {
    switch (end) {
        case end_of_journal::open:
            return "open";
        case end_of_journal::closed:
            return "closed";
        case end_of_journal::torn:
            return "torn";
    }
    return "";
}

cursor::cursor(std::unique_ptr<detail::cursor_state> state) noexcept : state_{std::move(state)} {}
cursor::cursor(cursor&&) noexcept = default;
cursor& cursor::operator=(cursor&&) noexcept = default;
cursor::~cursor() = default;

result<cursor> cursor::open(const std::filesystem::path& directory, cursor_options options) {
    if (options.names && options.stream != no_stream_id) {
        return std::unexpected(
            error{.code = errc::invalid_argument,
                  .reason = "cursor_options::names is for reading all events, not one stream"});
    }
    if (options.tag != 0 && (options.names || options.stream != no_stream_id)) {
        return std::unexpected(
            error{.code = errc::invalid_argument,
                  .reason = "cursor_options::tag goes with neither names nor stream"});
    }
    if (options.filter && !options.filter->has_condition()) {
        return std::unexpected(
            error{.code = errc::invalid_argument,
                  .reason = "cursor_options::filter has no condition; without a filter, a cursor "
                            "returns all events"});
    }
    try {
        // Segments are opened one by one, and the program may change its working directory.
        const auto where = detail::absolute_path(directory);
        if (!options.allow_network_file_system) {
            if (auto local = detail::refuse_network_file_system(where); !local)
                return std::unexpected(std::move(local.error()));
        }
        auto journal = detail::read_identity(where);
        if (!journal)
            return std::unexpected(std::move(journal.error()));
        for (;;) {
            auto state = std::make_unique<detail::cursor_state>(
                where, detail::identity_of(*journal), options);
            auto found = state->seek();
            // What was looked for, or part of a stream's way, may have been pruned meanwhile: then
            // it is looked for again, from the new beginning.
            const bool may_be_incomplete = !found || options.stream != no_stream_id;
            if (may_be_incomplete && state->beginning_moved())
                continue;
            if (!found)
                return std::unexpected(std::move(found.error()));
            return cursor{std::move(state)};
        }
    } catch (const std::bad_alloc&) {
        return fail(errc::out_of_memory);
    }
}

const event* cursor::next() noexcept {
    try {
        return state_->next();
    } catch (const std::bad_alloc&) {
        state_->fail_for_want_of_memory();
        return nullptr;
    }
}
result<bool> cursor::wait(std::chrono::nanoseconds timeout) {
    try {
        return state_->wait(timeout);
    } catch (const std::bad_alloc&) {
        return fail(errc::out_of_memory);
    }
}
result<end_of_journal> cursor::finish() {
    try {
        return state_->finish();
    } catch (const std::bad_alloc&) {
        return fail(errc::out_of_memory);
    }
}
sequence_number cursor::next_sequence() const noexcept {
    return state_->next_sequence();
}
log_point cursor::point() const noexcept {
    return state_->point();
}
const journal_id& cursor::id() const noexcept {
    return state_->identity().id;
}
const journal_identity& cursor::identity() const noexcept {
    return state_->identity();
}
std::span<const recorded_name> cursor::names_before() const noexcept {
    return state_->names_before();
}
std::span<const recorded_description> cursor::descriptions_before() const noexcept {
    return state_->descriptions_before();
}

}  // namespace pawl
