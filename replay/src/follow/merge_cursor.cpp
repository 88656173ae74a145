#include "os/assertion.hpp"

#include <pawl/journal/detail/guarded.hpp>
#include <pawl/replay/merge_cursor.hpp>

#include <algorithm>
#include <optional>
#include <utility>

namespace pawl::detail {

using std::chrono::nanoseconds;
using std::chrono::steady_clock;

namespace {

constexpr std::chrono::milliseconds first_nap{1};
constexpr std::chrono::milliseconds longest_nap{20};

struct merged_source {
    cursor events;
    log_point returned{};  // after the last event that was returned
    std::optional<event> pending{};
    std::uint64_t latest_ns = 0;  // of the events up to the pending one
    bool ended = false;
    std::optional<steady_clock::time_point> silent_since{};
};

}  // namespace

class merge_state {
  public:
    explicit merge_state(merge_options options) noexcept : options_{options} {}

    [[nodiscard]] result<void> add(const merge_source& source) {
        cursor_options how = source.options;
        how.follow = options_.follow;
        auto events = cursor::open(source.directory, how);
        if (!events)
            return std::unexpected(std::move(events.error()));
        const log_point begin = events->point();
        sources_.push_back({.events = std::move(*events), .returned = begin});
        return {};
    }

    // Null for now, or after a failure.
    [[nodiscard]] const merged_event* next() {
        merged_source* first = find_next();
        if (first == nullptr)
            return nullptr;
        const std::uint64_t time = std::max(first->latest_ns, now_.time_ns);
        now_ = {.journal = static_cast<std::size_t>(first - sources_.data()),
                .what = *first->pending,
                .time_ns = time,
                .late = first->latest_ns < time};
        first->returned = first->pending->point();
        first->pending.reset();
        return &now_;
    }

    [[nodiscard]] result<bool> wait(nanoseconds timeout) {
        const auto begin = steady_clock::now();
        nanoseconds nap = first_nap;
        while (find_next() == nullptr) {
            if (failure_)
                return std::unexpected(*failure_);
            const nanoseconds waited = steady_clock::now() - begin;
            if (waited >= timeout || all_ended())
                return false;
            nap_for(std::min(nap, timeout - waited));
            nap = std::min<nanoseconds>(nap * 2, longest_nap);
        }
        return true;
    }

    [[nodiscard]] result<std::vector<end_of_journal>> finish() {
        if (failure_)
            return std::unexpected(*failure_);
        std::vector<end_of_journal> ends;
        for (merged_source& source : sources_) {
            const auto end = source.events.finish();
            if (!end)
                return std::unexpected(end.error());
            ends.push_back(*end);
        }
        return ends;
    }

    [[nodiscard]] log_point point(std::size_t journal) const {
        PAWL_ASSERT(journal < sources_.size());
        return sources_[journal].returned;
    }

  private:
    // The source whose pending event is the next one; null if there is none yet.
    [[nodiscard]] merged_source* find_next() {
        merged_source* first = nullptr;
        bool held_back = false;
        for (merged_source& source : sources_) {
            if (!pull(source))
                return nullptr;
            if (!source.pending)
                held_back |= holds_back(source);
            else if (first == nullptr || source.latest_ns < first->latest_ns)
                first = &source;
        }
        return held_back ? nullptr : first;
    }

    // Reads the source's next event if none is pending. False after a failure.
    [[nodiscard]] bool pull(merged_source& source) {
        if (failure_)
            return false;
        if (source.pending || source.ended)
            return true;
        if (const event* e = source.events.next()) {
            source.pending = *e;
            source.latest_ns = std::max(source.latest_ns, e->timestamp_ns());
            source.silent_since.reset();
            return true;
        }
        return look_at_end(source);
    }

    // Whether this is the end, for now or for good, and not a failure.
    [[nodiscard]] bool look_at_end(merged_source& source) {
        if (!options_.follow) {
            auto end = source.events.finish();
            if (!end)
                failure_ = std::move(end.error());
            source.ended = true;
            return !failure_;
        }
        auto more = source.events.wait(nanoseconds{0});
        if (!more)
            failure_ = std::move(more.error());
        if (!source.silent_since)
            source.silent_since = steady_clock::now();
        return !failure_;
    }

    [[nodiscard]] bool holds_back(const merged_source& source) const {
        return !source.ended && source.silent_since &&
               steady_clock::now() - *source.silent_since < options_.patience;
    }

    [[nodiscard]] bool all_ended() const {
        return std::ranges::all_of(sources_, &merged_source::ended);
    }

    // On one of the silent journals; each in turn, so that none is noticed later than the others.
    void nap_for(nanoseconds time) {
        for (std::size_t tried = 0; tried < sources_.size(); ++tried) {
            merged_source& source = sources_[turn_++ % sources_.size()];
            if (source.pending || source.ended)
                continue;
            if (auto more = source.events.wait(time); !more)
                failure_ = std::move(more.error());
            return;
        }
    }

    merge_options options_;
    std::vector<merged_source> sources_;
    merged_event now_{};
    std::optional<error> failure_;
    std::size_t turn_ = 0;
};

}  // namespace pawl::detail

namespace pawl {

merge_cursor::merge_cursor(std::unique_ptr<detail::merge_state> state) noexcept
    : state_{std::move(state)} {}
merge_cursor::merge_cursor(merge_cursor&&) noexcept = default;
merge_cursor& merge_cursor::operator=(merge_cursor&&) noexcept = default;
merge_cursor::~merge_cursor() = default;

result<merge_cursor> merge_cursor::open(std::vector<merge_source> sources, merge_options options) {
    return detail::guarded([&]() -> result<merge_cursor> {
        if (sources.empty())
            return std::unexpected(error{.code = errc::invalid_argument,
                                         .reason = "merge_cursor::open: no journal was given"});
        auto state = std::make_unique<detail::merge_state>(options);
        for (const merge_source& source : sources) {
            if (auto added = state->add(source); !added)
                return std::unexpected(std::move(added.error()));
        }
        return merge_cursor{std::move(state)};
    });
}

const merged_event* merge_cursor::next() {
    return state_->next();
}

result<bool> merge_cursor::wait(std::chrono::nanoseconds timeout) {
    return detail::guarded([&] { return state_->wait(timeout); });
}

result<std::vector<end_of_journal>> merge_cursor::finish() {
    return detail::guarded([&] { return state_->finish(); });
}

log_point merge_cursor::point(std::size_t journal) const {
    return state_->point(journal);
}

}  // namespace pawl
