#include "store/heads_file.hpp"

#include "os/assertion.hpp"
#include "store/directory.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

namespace pawl::detail {

namespace {

[[nodiscard]] result<void> merge_table(head_slots& into, std::span<const stream_head> from,
                                       std::uint64_t used) {
    if (used == 0)
        return {};
    if (into.used() == 0) {
        auto memory = page_memory::make(from.size_bytes());
        if (!memory)
            return std::unexpected(std::move(memory.error()));
        std::memcpy(memory->data(), from.data(), from.size_bytes());
        into = head_slots::over(std::move(*memory), from.size(), used);
        return {};
    }
    for (const stream_head& head : from) {
        if (head.stream == no_stream_id)
            continue;
        stream_head* merged = into.find_or_grow(head.stream);
        if (merged == nullptr)
            return fail(errc::out_of_memory);
        *merged = head;
    }
    return {};
}

[[nodiscard]] result<void> merge_run(stream_heads& into, const head_run& run) {
    if (auto right = run.check_all(); !right)
        return right;
    const heads_header& header = run.header();
    if (auto merged = merge_table(into.slots, run.streams(), header.streams); !merged)
        return merged;
    if (auto merged = merge_table(into.tags, run.tags(), header.tags); !merged)
        return merged;
    name_map names;
    if (!unpack_names(run.names(), header.names, names)) {
        return std::unexpected(error{.code = errc::damaged,
                                     .offset = 0,
                                     .file = run.path().string(),
                                     .detail = "names do not fit"});
    }
    into.names.merge(names);
    into.covers_something = true;
    into.ordinal = header.ordinal;
    into.epoch = header.epoch;
    into.end_sequence = header.end_sequence;
    into.streams_so_far = header.streams_so_far;
    return {};
}

}  // namespace

result<stream_heads> empty_heads(std::uint64_t expected_streams) {
    stream_heads heads;
    auto slots = head_slots::make(std::max<std::uint64_t>(expected_streams, 64) * 3 / 2);
    if (!slots)
        return std::unexpected(std::move(slots.error()));
    heads.slots = std::move(*slots);
    return heads;
}

result<stream_heads> heads_after(const head_runs& runs, std::uint64_t expected_streams) {
    auto heads = empty_heads(expected_streams);
    const auto end = runs.end();
    if (!heads || !end)
        return heads;
    heads->covers_something = true;
    heads->ordinal = end->ordinal;
    heads->epoch = end->epoch;
    heads->end_sequence = end->end_sequence;
    heads->streams_so_far = end->streams;
    return heads;
}

result<stream_heads> gather_heads(const head_runs& runs, const stream_heads* later) {
    auto heads = empty_heads(0);
    if (!heads)
        return heads;
    for (const auto& run : runs.all()) {
        if (auto merged = merge_run(*heads, *run); !merged)
            return std::unexpected(std::move(merged.error()));
    }
    if (later == nullptr)
        return heads;
    if (auto merged = merge_table(heads->slots, later->slots.all(), later->slots.used()); !merged)
        return std::unexpected(std::move(merged.error()));
    if (auto merged = merge_table(heads->tags, later->tags.all(), later->tags.used()); !merged)
        return std::unexpected(std::move(merged.error()));
    heads->names.insert(later->names.begin(), later->names.end());
    heads->covers_something = later->covers_something;
    heads->ordinal = later->ordinal;
    heads->epoch = later->epoch;
    heads->end_sequence = later->end_sequence;
    heads->streams_so_far = later->streams_so_far;
    return heads;
}

result<stream_heads> read_heads(const directory_handle& directory, const journal_id& id) {
    const auto runs = chain_runs(directory, id);
    if (!runs)
        return std::unexpected(runs.error());
    return gather_heads(*runs, nullptr);
}

}  // namespace pawl::detail
