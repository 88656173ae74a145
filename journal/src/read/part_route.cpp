#include "read/part_route.hpp"

#include "os/assertion.hpp"
#include "store/directory.hpp"
#include "store/index_file.hpp"
#include "store/segment_file.hpp"
#include "store/segment_index.hpp"

#include <algorithm>
#include <optional>
#include <utility>

namespace pawl::detail {

namespace {

class route_planner {
  public:
    explicit route_planner(const route_request& request) : request_{request} {}

    [[nodiscard]] result<part_route> run() {
        auto ordinals = list_log(request_.directory, request_.begin);
        if (!ordinals)
            return std::unexpected(std::move(ordinals.error()));
        auto next = ordinals->rbegin();
        while (next != ordinals->rend() && *next >= request_.from_ordinal) {
            const auto back = look_at(*next);
            if (!back)
                return std::unexpected(back.error());
            if (*back == whole_way)
                break;
            // The link says that no segment in between holds the stream.
            const std::uint64_t wanted = *next - std::min(*next, *back);
            ++next;
            while (next != ordinals->rend() && *next > wanted)
                ++next;
        }
        std::ranges::reverse(route_.stops);
        return std::move(route_);
    }

  private:
    // No earlier segment needs to be visited.
    static constexpr std::uint64_t whole_way = 0;

    // Returns how many segments back to look next.
    [[nodiscard]] result<std::uint64_t> look_at(std::uint64_t ordinal) {
        PAWL_ASSERT(route_.stops.empty() || ordinal < route_.stops.back());
        auto index = index_file::open(request_.directory, request_.id, ordinal);
        if (!index)
            return without_index(ordinal, std::move(index.error()));
        auto found = find_in(*index);
        if (!found)
            return without_index(ordinal, std::move(found.error()));
        // If a link led here, the stream must be here, or the link was wrong; then the reader
        // notices from the versions.
        bool certain = leads_to_known(index->header());
        if (!certain && (!*found || !route_.sealed_end.known)) {
            const auto segment = open_segment(request_.directory, request_.id, ordinal);
            if (!segment)
                return std::unexpected(segment.error());
            if (!is_of_segment(index->header(), *segment))
                return without_index(ordinal, error{.code = errc::damaged});
            certain = true;
        }
        known_ = certain ? std::optional{index->header()} : std::nullopt;
        if (!route_.sealed_end.known)
            route_.sealed_end = end_of(index->header());
        if (!*found)
            return 1;
        const index_stream& stream = **found;
        if (stream.version < request_.from_version)
            return ends_before_wanted(ordinal, stream);
        route_.stops.push_back(ordinal);
        return stream.segments_back;
    }

    // What an index says of the stream. A tag is like a stream that the segment before may hold.
    [[nodiscard]] result<std::optional<index_stream>> find_in(index_file& index) const {
        if (request_.tag == 0)
            return index.find_stream(request_.stream);
        const auto named = index.find_tag(request_.tag);
        if (!named)
            return std::unexpected(named.error());
        if (named->empty())
            return std::nullopt;
        return index_stream{.stream = request_.tag, .version = 0, .last = 0, .segments_back = 1};
    }

    // The last of its events here is not wanted, if the segment says so, too.
    [[nodiscard]] result<std::uint64_t> ends_before_wanted(std::uint64_t ordinal,
                                                           const index_stream& stream) {
        const auto segment = open_segment(request_.directory, request_.id, ordinal);
        if (!segment)
            return std::unexpected(segment.error());
        if (is_at_its_place(stream, segment->space()))
            return whole_way;
        return without_index(ordinal, error{.code = errc::damaged});
    }

    // After the last sealed segment, a reader visits every segment anyway.
    [[nodiscard]] result<std::uint64_t> without_index(std::uint64_t ordinal, error why) {
        if (why.code != errc::not_found && why.code != errc::damaged)
            return std::unexpected(std::move(why));
        if (route_.sealed_end.known)
            route_.stops.push_back(ordinal);
        return 1;
    }

    // Whether the index names as its successor the next segment, whose index is known to be of this
    // log. A stale index names another successor, so the segment itself need not be opened.
    [[nodiscard]] bool leads_to_known(const index_header& index) const noexcept {
        return known_ && index.ordinal + 1 == known_->ordinal && index.successor_epoch != 0 &&
               index.successor_epoch == known_->epoch;
    }

    const route_request& request_;
    part_route route_;
    std::optional<index_header> known_;  // the last one, if it is certainly of this log
};

}  // namespace

result<part_route> plan_route(const route_request& request) {
    PAWL_ASSERT((request.stream != no_stream_id) != (request.tag != 0));
    return route_planner{request}.run();
}

}  // namespace pawl::detail
