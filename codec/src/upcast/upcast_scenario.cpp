#include <pawl/codec/upcast_scenario.hpp>

#include <expected>
#include <new>

namespace pawl::detail {

std::string show_event(std::span<const std::byte> bfbs, std::string_view table,
                       std::span<const std::byte> payload) {
    std::string shown{table};
    shown += ": ";
    auto of = schema::load(bfbs, table);
    auto done = of ? json_printer{*of}.print(payload, shown) : std::unexpected(of.error());
    if (!done && done.error().code == errc::out_of_memory)
        throw std::bad_alloc{};
    if (!done)
        shown += done.error().message();
    return shown;
}

verdict compare_upcast(const std::vector<std::string>& is, const std::vector<std::string>& should) {
    if (is == should)
        return {};
    std::string why;
    const auto list = [&](const char* heading, const std::vector<std::string>& events) {
        why += heading;
        for (const std::string& one : events)
            why.append("\n  ").append(one);
        if (events.empty())
            why += "\n  no event";
    };
    list("the old event became", is);
    list("\nwhere it should become", should);
    return {false, std::move(why)};
}

}  // namespace pawl::detail
