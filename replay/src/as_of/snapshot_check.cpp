#include <pawl/replay/snapshot_check.hpp>

namespace pawl::detail {

error other_state(const snapshot_info& snapshot, const char* why) {
    return {.code = errc::diverged,
            .sequence = snapshot.point.next,
            .file = snapshot.path.string(),
            .detail = why};
}

std::optional<error> check_place(const snapshot_info& snapshot, const fold_progress& progress) {
    if (progress.point.next < snapshot.point.next)
        return other_state(snapshot, "the log ends before its log point");
    if (progress.point.content_hash != snapshot.point.content_hash)
        return other_state(snapshot, "the event before its log point has another hash in the log");
    if (progress.digest != snapshot.digest)
        return other_state(snapshot, "the events before its log point have another digest");
    return std::nullopt;
}

}  // namespace pawl::detail
