#include <pawl/journal/recovery_report.hpp>

namespace pawl {

namespace {

[[nodiscard]] std::string torn_text(const recovery_report& report) {
    std::string text = "the last writer did not close the journal; ";
    text += report.dry_run ? "would cut segment " : "cut segment ";
    text += std::to_string(report.cut.ordinal) + " at byte " + std::to_string(report.cut.offset);
    if (report.lost_about == 0) {
        text += ", no published event is known to be lost";
    } else {
        text += ", about " + std::to_string(report.lost_about) +
                " published events are lost, none of which was acknowledged as durable";
    }
    if (report.torn_bytes != 0)
        text += ", " + std::to_string(report.torn_bytes) + " torn bytes after the cut";
    for (const std::string& file : report.kept)
        text += (report.dry_run ? ", would keep " : ", kept ") + file;
    return text;
}

}  // namespace

std::string recovery_report::message() const {
    std::string text;
    switch (state) {
        case found::created:
            text = "created";
            break;
        case found::closed:
            text = "closed cleanly";
            break;
        case found::torn_tail:
            text = torn_text(*this);
            break;
    }
    text += ", next sequence " + std::to_string(next_sequence);
    for (const std::string& notice : notices)
        text += "; " + notice;
    return text;
}

}  // namespace pawl
