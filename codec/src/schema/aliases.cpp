#include "schema/aliases.hpp"

#include <algorithm>
#include <cstddef>
#include <iterator>
#include <utility>
#include <vector>

namespace pawl::detail {

namespace {

// Puts `added` into `names`, which is sorted. No name is in both or twice in one: an alias is never
// the name of a field or value of the same schema.
template <class Target>
void merge(alias_list<Target>& names, alias_list<Target> added) {
    std::ranges::move(added, std::back_inserter(names));
    std::ranges::sort(names, {}, &std::pair<std::string, Target>::first);
}

// Walks two schemas side by side, from their roots. Each type of `is` is visited once, so that the
// work is bounded by the size of the schemas.
class alias_walk {
  public:
    alias_walk(schema_layout& is, const schema_layout& was)
        : is_{is},
          was_{was},
          object_seen_(is.objects.size(), false),
          enum_seen_(is.enums.size(), false) {}

    void run() {
        meet_objects(is_.root, was_.root);
        while (!open_.empty()) {
            const auto [is, was] = open_.back();
            open_.pop_back();
            visit(is_.objects[static_cast<std::size_t>(is)], was_.object(was));
        }
    }

  private:
    using pair_of_objects = std::pair<std::int32_t, std::int32_t>;

    void meet_objects(std::int32_t is, std::int32_t was) {
        if (is < 0 || was < 0 || object_seen_[static_cast<std::size_t>(is)])
            return;
        object_seen_[static_cast<std::size_t>(is)] = true;
        open_.emplace_back(is, was);
    }
    void meet_enums(std::int32_t is, std::int32_t was) {
        if (is < 0 || was < 0 || enum_seen_[static_cast<std::size_t>(is)])
            return;
        enum_seen_[static_cast<std::size_t>(is)] = true;
        visit(is_.enums[static_cast<std::size_t>(is)], was_.enumeration(was));
    }

    // A field keeps its id, in a struct its position, when it is renamed.
    void visit(object_layout& is, const object_layout& was) {
        alias_list<std::uint16_t> added;
        const auto add = [&](const std::string& name, std::uint16_t position) {
            if (position < is.fields.size() && is.find_any(name) < 0)
                added.emplace_back(name, position);
        };
        for (std::size_t i = 0; i < std::min(is.fields.size(), was.fields.size()); ++i) {
            add(was.fields[i].name, static_cast<std::uint16_t>(i));
            meet_objects(is.fields[i].type.object, was.fields[i].type.object);
            meet_objects(is.fields[i].nested_object, was.fields[i].nested_object);
            meet_enums(is.fields[i].type.enumeration, was.fields[i].type.enumeration);
        }
        for (const auto& [name, position] : was.aliases)
            add(name, position);
        merge(is.aliases, std::move(added));
    }
    void visit(enum_layout& is, const enum_layout& was) {
        alias_list<std::int64_t> added;
        const auto add = [&](const std::string& name, std::int64_t value) {
            if (is.find(value) != nullptr && is.find_any(name) == nullptr)
                added.emplace_back(name, value);
        };
        for (const enum_value& each : was.values) {
            add(each.name, each.value);
            if (const enum_value* now = is.find(each.value))
                meet_objects(now->member.object, each.member.object);
        }
        for (const auto& [name, value] : was.aliases)
            add(name, value);
        merge(is.aliases, std::move(added));
    }

    schema_layout& is_;
    const schema_layout& was_;
    std::vector<bool> object_seen_;
    std::vector<bool> enum_seen_;
    std::vector<pair_of_objects> open_;
};

}  // namespace

void add_aliases(schema_layout& is, const schema_layout& was) {
    alias_walk{is, was}.run();
}

}  // namespace pawl::detail
