#include "append/heads_beneath.hpp"

#include "os/assertion.hpp"
#include "store/head_search.hpp"

#include <new>
#include <optional>
#include <utility>

namespace pawl::detail {

namespace {

[[nodiscard]] std::uint64_t covered_by(const head_runs& runs) noexcept {
    const auto end = runs.end();
    return end ? end->ordinal + 1 : 0;
}

// The answer of the log, for a lookup that no run could answer.
[[nodiscard]] head_lookup answer_of(const result<stream_head>& found, stream_head& into) noexcept {
    if (!found)
        return head_lookup::unreadable;
    into = *found;
    return found->version == 0 ? head_lookup::absent : head_lookup::present;
}

}  // namespace

heads_beneath::heads_beneath(head_runs runs, directory_handle directory, const journal_id& id)
    : current_{new head_runs{std::move(runs)}},
      covered_{covered_by(*current_)},
      directory_{std::move(directory)},
      id_{id} {}

heads_beneath::~heads_beneath() {
    delete current_;
    delete offered_.load(std::memory_order_acquire);
    delete retired_.load(std::memory_order_acquire);
}

head_lookup heads_beneath::find_stream(stream_id stream, stream_head& into) const noexcept {
    const head_lookup found = current_->find_stream(stream, into);
    if (found != head_lookup::unreadable) [[likely]]
        return found;
    try {
        return answer_of(search_stream(directory_, id_, covered_ - 1, stream), into);
    } catch (const std::bad_alloc&) {
        return head_lookup::unreadable;
    }
}

head_lookup heads_beneath::find_tag(tag_id tag, stream_head& into) const noexcept {
    const head_lookup found = current_->find_tag(tag, into);
    if (found != head_lookup::unreadable) [[likely]]
        return found;
    try {
        return answer_of(search_tag(directory_, id_, covered_ - 1, tag), into);
    } catch (const std::bad_alloc&) {
        return head_lookup::unreadable;
    }
}

result<std::optional<stream_id>> heads_beneath::find_name(std::string_view name) const {
    stream_id stream = 0;
    switch (current_->find_name(name, stream)) {
        case head_lookup::absent:
            return std::nullopt;
        case head_lookup::present:
            return stream;
        case head_lookup::unreadable:
            break;
    }
    return search_name(directory_, id_, covered_ - 1, name);
}

void heads_beneath::take_offer() noexcept {
    // The background frees the runs of the last offer before this thread gives it more.
    if (offered_.load(std::memory_order_relaxed) == nullptr ||
        retired_.load(std::memory_order_relaxed) != nullptr) [[likely]]
        return;
    head_runs* taken = offered_.exchange(nullptr, std::memory_order_acq_rel);
    PAWL_ASSERT(taken != nullptr && covered_by(*taken) >= covered_);
    retired_.store(std::exchange(current_, taken), std::memory_order_release);
    covered_ = covered_by(*current_);
}

void heads_beneath::offer(head_runs runs) {
    delete retired_.exchange(nullptr, std::memory_order_acq_rel);
    auto* made = new head_runs{std::move(runs)};
    delete offered_.exchange(made, std::memory_order_acq_rel);
}

}  // namespace pawl::detail
