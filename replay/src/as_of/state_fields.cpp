#include <pawl/replay/state_fields.hpp>

#include <algorithm>

namespace pawl {

namespace {

using entries = std::vector<std::string>;

struct as_text {
    std::string operator()(const std::string& text) const { return text; }
    std::string operator()(const entries& list) const {
        return std::to_string(list.size()) + (list.size() == 1 ? " entry" : " entries");
    }
    std::string operator()(auto number) const { return std::to_string(number); }
};

void compare_lists(const std::string& name, const entries& before, const entries& after,
                   std::vector<std::string>& to) {
    const auto only = [&](const entries& one, const entries& other, const char* where) {
        for (const std::string& each : one)
            if (std::ranges::find(other, each) == other.end())
                to.push_back(std::string{name}.append(where).append(each));
    };
    const std::size_t lines = to.size();
    only(before, after, ": - ");
    only(after, before, ": + ");
    if (to.size() == lines)
        to.push_back(name + ": the same entries in another order, or one of them more often");
}

[[nodiscard]] const state_field* find(const std::vector<state_field>& in, const std::string& name) {
    const auto found = std::ranges::find(in, name, &state_field::name);
    return found == in.end() ? nullptr : &*found;
}

}  // namespace

std::vector<std::string> difference(const std::vector<state_field>& before,
                                    const std::vector<state_field>& after) {
    std::vector<std::string> lines;
    for (const state_field& was : before) {
        const state_field* is = find(after, was.name);
        if (is == nullptr) {
            lines.push_back(was.name + ": " + std::visit(as_text{}, was.value) + " -> none");
            continue;
        }
        if (is->value == was.value)
            continue;
        const auto* old_list = std::get_if<entries>(&was.value);
        const auto* new_list = std::get_if<entries>(&is->value);
        if (old_list != nullptr && new_list != nullptr)
            compare_lists(was.name, *old_list, *new_list, lines);
        else
            lines.push_back(was.name + ": " + std::visit(as_text{}, was.value) + " -> " +
                            std::visit(as_text{}, is->value));
    }
    for (const state_field& is : after)
        if (find(before, is.name) == nullptr)
            lines.push_back(is.name + ": none -> " + std::visit(as_text{}, is.value));
    return lines;
}

}  // namespace pawl
