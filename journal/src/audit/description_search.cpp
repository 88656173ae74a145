#include "audit/description_search.hpp"

#include "format/description_frame.hpp"
#include "format/segment_walk.hpp"
#include "store/directory.hpp"
#include "store/index_file.hpp"
#include "store/retained.hpp"
#include "store/segment_file.hpp"
#include "store/segment_index.hpp"

#include <pawl/journal/journal.hpp>

#include <new>
#include <utility>

namespace pawl {

namespace detail {

namespace {

// Gathers the descriptions of one segment.
class description_gatherer {
  public:
    description_gatherer(const read_segment& segment, std::vector<recorded_description>& into)
        : segment_{segment}, space_{segment.space()}, into_{into} {}

    // Does not judge why the walk ends.
    [[nodiscard]] result<void> gather() {
        const walk_start from{
            .sequence = load_u64(space_.base + first_frame_offset + frame_offset::sequence)};
        (void)walk_segment(space_, from,
                           [&](std::uint64_t offset, commit_word word) { take(offset, word); });
        return malformed();
    }

  private:
    void take(std::uint64_t offset, commit_word word) {
        if (!is_description(word))
            return;
        const std::byte* frame = space_.base + offset;
        const auto said = read_description(frame, word);
        if (!said) {
            malformed_ = malformed_ == 0 ? offset : malformed_;
            return;
        }
        into_.push_back({.type = said->type,
                         .schema_version = said->schema_version,
                         .next_sequence = load_u64(frame + frame_offset::sequence),
                         .timestamp_ns = load_u64(frame + frame_offset::timestamp),
                         .name = std::string{said->name},
                         .bytes = {said->bytes.begin(), said->bytes.end()}});
    }

    [[nodiscard]] result<void> malformed() const {
        if (malformed_ == 0)
            return {};
        return std::unexpected(
            error{.code = errc::malformed,
                  .offset = malformed_,
                  .reason = "the name of a description does not fit into its frame",
                  .file = segment_.bytes.path().string()});
    }

    const read_segment& segment_;
    frame_space space_;
    std::vector<recorded_description>& into_;
    std::uint64_t malformed_ = 0;  // offset of the first such frame
};

}  // namespace

result<void> find_descriptions(const directory_handle& directory, const journal_id& id,
                               std::uint64_t ordinal, std::vector<recorded_description>& into) {
    auto segment = open_segment(directory, id, ordinal);
    if (!segment) {
        if (segment.error().code == errc::missing_segment)
            return {};
        return std::unexpected(std::move(segment.error()));
    }
    const auto index = read_index_header(directory, id, ordinal);
    constexpr auto described = bit_of(system_type::description);
    if (index && is_of_segment(*index, *segment) && (index->system_types & described) == 0)
        return {};
    auto gathered = description_gatherer{*segment, into}.gather();
    // A lost page reads as zeros, in which no frame is found.
    if (auto whole = segment->bytes.whole(); !whole)
        return whole;
    return gathered;
}

result<std::vector<recorded_description>> find_all_descriptions(const directory_handle& directory,
                                                                const journal_id& id,
                                                                std::uint64_t end_ordinal) {
    return read_beside_prunes(
        directory, id, [&](const log_begin& begin) -> result<std::vector<recorded_description>> {
            std::vector<recorded_description> found;
            if (begin.is_pruned()) {
                auto kept = read_retained(directory, id);
                if (!kept)
                    return std::unexpected(std::move(kept.error()));
                if (*kept)
                    found = std::move((*kept)->descriptions);
            }
            auto ordinals = list_log(directory, begin);
            if (!ordinals)
                return std::unexpected(std::move(ordinals.error()));
            for (const std::uint64_t ordinal : *ordinals) {
                if (ordinal >= end_ordinal)
                    break;
                if (auto more = find_descriptions(directory, id, ordinal, found); !more)
                    return std::unexpected(std::move(more.error()));
            }
            return found;
        });
}

}  // namespace detail

result<std::vector<recorded_description>> descriptions(const std::filesystem::path& directory) {
    try {
        auto journal = detail::read_identity(directory);
        if (!journal)
            return std::unexpected(std::move(journal.error()));
        return detail::find_all_descriptions(directory, detail::id_of(*journal), ~std::uint64_t{0});
    } catch (const std::bad_alloc&) {
        return fail(errc::out_of_memory);
    }
}

}  // namespace pawl
