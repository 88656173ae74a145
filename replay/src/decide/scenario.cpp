#include <pawl/replay/scenario.hpp>

#include <algorithm>
#include <string>

namespace pawl::detail {

namespace {

std::string count_of(std::size_t events) {
    return events == 1 ? "1 event" : std::to_string(events) + " events";
}

}  // namespace

void expectation::keep(result<void> added) {
    if (!added && !broken_)
        broken_ = std::move(added.error());
}

verdict expectation::compare(const result<void>& outcome, const decision& actual) const {
    if (broken_)
        return {false, "an expected event cannot be encoded: " + broken_->message()};
    if (!outcome)
        return {false, "the command was refused: " + outcome.error().message()};
    if (actual.size() != events_.size())
        return {false, count_of(actual.size()) + " where " + std::to_string(events_.size()) +
                           " should be"};
    for (std::size_t i = 0; i < events_.size(); ++i) {
        const std::string which = "event " + std::to_string(i + 1) + ": ";
        const auto differs = [&](const char* what, std::uint64_t is, std::uint64_t should) {
            return verdict{false, which + what + " " + std::to_string(is) + " where " +
                                      std::to_string(should) + " should be"};
        };
        const typed_payload is = actual.payload(i);
        const typed_payload should = events_.payload(i);
        if (is.type != should.type)
            return differs("type", is.type, should.type);
        if (streams_[i] && actual.header(i).stream != *streams_[i])
            return differs("stream", actual.header(i).stream, *streams_[i]);
        if (!std::ranges::equal(is.bytes, should.bytes))
            return {false, which + "other fields than should be"};
    }
    return {};
}

verdict refused_as(errc expected, const result<void>& outcome) {
    if (outcome)
        return {false, "the command was accepted"};
    if (outcome.error().code != expected)
        return {false, "refused for another reason: " + outcome.error().message()};
    return {};
}

}  // namespace pawl::detail
