#include <pawl/journal/recovery_report.hpp>

#include <new>

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

[[nodiscard]] std::string message_of(const recovery_report& report) {
    std::string text;
    switch (report.state) {
        case found::created:
            text = "created";
            break;
        case found::closed:
            text = "closed cleanly";
            break;
        case found::torn_tail:
            text = torn_text(report);
            break;
    }
    text += ", next sequence " + std::to_string(report.next_sequence);
    for (const std::string& notice : report.notices)
        text += "; " + notice;
    return text;
}

}  // namespace

std::string recovery_report::message() const noexcept {
    try {
        return message_of(*this);
    } catch (const std::bad_alloc&) {
        return "out of memory";  // short enough not to allocate
    }
}

}  // namespace pawl
