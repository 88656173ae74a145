#include <pawl/replay/detail/segment_groups.hpp>

#include <algorithm>

namespace pawl::detail {

namespace {

// A process may hold 65,530 mappings by default.
constexpr std::uint64_t max_segments_at_once = 1024;

// True for errors that mark the end of the sealed segments; a cursor judges the rest of the log.
bool ends_the_sealed(errc code) noexcept {
    return code == errc::not_found || code == errc::missing_segment || code == errc::pruned;
}

}  // namespace

void group_segment::begin(std::uint64_t ordinal) noexcept {
    ordinal_ = ordinal;
    segment_.reset();
    for (auto& places : places_)
        places.clear();
    events_ = 0;
    point_ = {};
    digest_ = {};
    names_behind_ = {};
    failure_.reset();
}

bool group_segment::open(const std::filesystem::path& directory) {
    auto opened = sealed_segment::open(directory, ordinal_);
    if (opened)
        segment_.emplace(std::move(*opened));
    else
        failure_ = std::move(opened.error());
    return segment_.has_value();
}

void group_segment::close() {
    if (auto finished = segment_->finish(); !finished)
        failure_ = std::move(finished.error());
    names_behind_ = log_digest{segment_->names_digest()};
}

void group_segment::partition(const std::filesystem::path& directory, std::uint32_t shards) {
    places_.resize(shards);
    read(directory, [&](const event& from) -> result<void> {
        const auto place = static_cast<std::uint32_t>(from.position().offset / 8);
        places_[shard_of(from.stream(), shards)].push_back(place);
        return {};
    });
}

result<segment_groups> segment_groups::open(const std::filesystem::path& directory,
                                            const cursor_options& reading, std::uint32_t threads,
                                            std::uint64_t window_bytes) {
    if (auto whole = open_at_beginning(directory, reading); !whole)
        return std::unexpected(std::move(whole.error()));
    const auto first = sealed_segment::open(directory, 0);
    if (!first && !ends_the_sealed(first.error().code))
        return std::unexpected(first.error());
    segment_groups groups{threads};
    groups.at_end_ = !first;
    if (first) {
        const std::uint64_t at_once = window_bytes / std::max<std::uint64_t>(first->bytes(), 1);
        groups.segments_.resize(std::clamp<std::uint64_t>(
            at_once, groups.crew_.threads(),
            std::max<std::uint64_t>(groups.crew_.threads(), max_segments_at_once)));
    }
    return groups;
}

bool segment_groups::next() {
    if (at_end_)
        return false;
    if (in_group_ != 0)
        before_ = std::move(segments_[in_group_ - 1].segment_);
    for (group_segment& each : segments_)
        each.begin(next_ordinal_++);
    in_group_ = segments_.size();
    return true;
}

std::optional<error> segment_groups::read(const reader& read_one) {
    if (auto done = crew_.run(in_group_, [&](std::size_t i) { read_one(segments_[i], i); });
        !done) {
        // Which segments were read is not known.
        in_group_ = 0;
        at_end_ = true;
        return std::move(done.error());
    }
    const sealed_segment* before = before_ ? &*before_ : nullptr;
    for (std::size_t i = 0; i < in_group_; ++i) {
        group_segment& each = segments_[i];
        if (!each.segment_) {
            in_group_ = i;
            at_end_ = true;
            if (ends_the_sealed(each.failure_->code))
                return std::nullopt;
            return std::move(each.failure_);
        }
        if (auto follows = each.segment_->check_follows(before); !follows) {
            in_group_ = i;
            at_end_ = true;
            return std::move(follows.error());
        }
        if (each.failure_) {
            in_group_ = i + 1;
            at_end_ = true;
            return std::move(each.failure_);
        }
        before = &*each.segment_;
        if (each.events_ != 0) {
            progress_.events += each.events_;
            progress_.point = each.point_;
            // The digest of a log point covers only the names before its last event.
            progress_.digest.add(std::exchange(names_behind_, {}));
            progress_.digest.add(each.digest_);
        }
        names_behind_.add(each.names_behind_);
    }
    return std::nullopt;
}

}  // namespace pawl::detail
