// Conditions on the events that name a tag. Like those on streams, they are judged against the log
// before the event or its batch: one thread appends, so what holds here still holds when the event
// is published.
#include "append/appender.hpp"

#include <variant>

namespace pawl::detail {

writer_point appender::point() const noexcept {
    writer_point made;
    made.next_ = sequence_;
    made.position_ = {ordinal_, batch_.open ? batch_.begin : position_};
    made.life_ = life_;
    return made;
}

std::optional<error> appender::judge(const unless_condition& unless) const noexcept {
    const auto refuse = [&](errc code, std::string_view why) {
        return error{
            .code = code, .batch_event = batch_.open ? batch_.events : no_value, .reason = why};
    };
    const auto* taken = std::get_if<writer_point>(&unless.after);
    if (taken != nullptr && taken->life_ != life_)
        return refuse(errc::diverged, "unless_condition::after is not a point of this writer");
    const auto* point = std::get_if<log_point>(&unless.after);
    const sequence_number next = taken != nullptr ? taken->next_ : point->next;
    if (next > sequence_)
        return refuse(errc::diverged, "unless_condition::after lies behind the end of the log");
    if (next == sequence_ && (taken != nullptr || *point == log_point{}))
        return std::nullopt;
    return refuse(errc::conflict, "events were appended after unless_condition::after");
}

}  // namespace pawl::detail
