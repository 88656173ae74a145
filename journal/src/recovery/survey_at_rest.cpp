#include "recovery/survey_at_rest.hpp"

#include "format/segment_walk.hpp"
#include "store/directory.hpp"
#include "store/segment_file.hpp"
#include "store/writer_lock.hpp"

#include <utility>

namespace pawl::detail {

result<std::optional<log_survey>> survey_at_rest(const survey_request& request) {
    constexpr int attempts = 100;
    for (int attempt = 0; attempt < attempts; ++attempt) {
        const auto held = writer_lock::is_held(request.directory);
        if (held && *held)
            return std::nullopt;
        auto surveyed = survey_without_lock(request);
        if (!surveyed || *surveyed)
            return surveyed;
    }
    return std::unexpected(error{.code = errc::locked,
                                 .file = request.directory.path().string(),
                                 .detail = "writers came and went each time the journal was read; "
                                           "try again when none is starting or stopping"});
}

hole_now look_again(const directory_handle& directory, const journal_id& id,
                    const seen_hole& hole) {
    const auto opened = open_segment(directory, id, hole.ordinal);
    if (!opened) {
        // Nothing shows that an unreadable file is a different one.
        return opened.error().code == errc::missing_segment ? hole_now::replaced
                                                            : hole_now::still_there;
    }
    if (opened->header.epoch != hole.epoch)
        return hole_now::replaced;
    const frame_fault fault = check_unit(opened->space(), hole.offset, hole.sequence).fault;
    return fault == frame_fault::none ? hole_now::filled : hole_now::still_there;
}

}  // namespace pawl::detail
