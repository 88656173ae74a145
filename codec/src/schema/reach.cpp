#include "schema/reach.hpp"

#include <algorithm>

namespace pawl::detail {

namespace {

// True for a name, with dots between namespaces if `dots` allows them. JSON and error messages
// print names unescaped, so names may hold no other characters.
bool is_name(std::string_view text, bool dots) {
    constexpr std::size_t longest = 256;
    bool starts = true;
    for (const char c : text) {
        const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
        const bool digit = c >= '0' && c <= '9';
        if (c == '.' && dots && !starts) {
            starts = true;
        } else if (letter || (digit && !starts)) {
            starts = false;
        } else {
            return false;
        }
    }
    return !starts && text.size() <= longest;
}

class explorer {
  public:
    explorer(const reflection::Schema& from, const schema_limits& limits, const object_names& names)
        : from_{from},
          limits_{limits},
          names_{names},
          seen_objects_(from.objects()->size(), false),
          seen_enums_(from.enums()->size(), false) {}

    result<reached_types> explore(std::int32_t root) {
        if (auto done = see_object(root); !done)
            return std::unexpected(std::move(done.error()));
        while (!open_.empty()) {
            const std::int32_t next = open_.back();
            open_.pop_back();
            if (auto done = look_into(object(next)); !done)
                return std::unexpected(std::move(done.error()));
        }
        return sorted(root);
    }

  private:
    [[nodiscard]] const reflection::Object& object(std::int32_t index) const {
        return *from_.objects()->Get(static_cast<flatbuffers::uoffset_t>(index));
    }

    result<void> count() {
        if (++count_ > limits_.max_types)
            return fail(errc::too_large, "a binary schema whose table reaches more than " +
                                             std::to_string(limits_.max_types) + " types");
        return {};
    }

    result<void> see_object(std::int32_t index) {
        if (index < 0 || static_cast<std::size_t>(index) >= seen_objects_.size())
            return malformed_schema("a type refers to table " + std::to_string(index) + " of " +
                                    std::to_string(seen_objects_.size()));
        if (seen_objects_[static_cast<std::size_t>(index)])
            return {};
        seen_objects_[static_cast<std::size_t>(index)] = true;
        if (!is_name(text_of(object(index).name()), true))
            return malformed_schema("the name of a table is not a name");
        open_.push_back(index);
        return count();
    }

    result<void> see_enum(std::int32_t index) {
        if (index < 0 || static_cast<std::size_t>(index) >= seen_enums_.size())
            return malformed_schema("a type refers to enum " + std::to_string(index) + " of " +
                                    std::to_string(seen_enums_.size()));
        if (seen_enums_[static_cast<std::size_t>(index)])
            return {};
        seen_enums_[static_cast<std::size_t>(index)] = true;
        const reflection::Enum& seen =
            *from_.enums()->Get(static_cast<flatbuffers::uoffset_t>(index));
        if (!is_name(text_of(seen.name()), true))
            return malformed_schema("the name of an enum is not a name");
        for (const reflection::EnumVal* value : *seen.values()) {
            if (!is_name(text_of(value->name()), false))
                return malformed_schema("the name of a value of " + seen.name()->str() +
                                        " is not a name");
            if (seen.is_union() && value->union_type() != nullptr &&
                base_of(*value->union_type()) == reflection::Obj)
                if (auto done = see_object(value->union_type()->index()); !done)
                    return done;
        }
        return count();
    }

    result<void> look_into(const reflection::Object& at) {
        for (const reflection::Field* field : *at.fields()) {
            if (!is_name(text_of(field->name()), false))
                return malformed_schema("the name of a field of " + at.name()->str() +
                                        " is not a name");
            if (auto done = look_at(at, *field); !done)
                return done;
        }
        return {};
    }

    result<void> look_at(const reflection::Object& parent, const reflection::Field& field) {
        const reflection::Type& type = *field.type();
        const reflection::BaseType whole = base_of(type);
        const bool several = whole == reflection::Vector || whole == reflection::Array;
        const reflection::BaseType base = several ? element_of(type) : whole;
        if (base == reflection::Obj)
            return see_object(type.index());
        if (base == reflection::Union || (flatbuffers::IsInteger(base) && type.index() != -1))
            return see_enum(type.index());
        if (const auto* nested = attribute_of(field, "nested_flatbuffer")) {
            const std::int32_t target = names_.find_from(text_of(parent.name()), text_of(nested));
            if (target < 0)
                return malformed_schema(parent.name()->str() + "." + field.name()->str() +
                                        " nests a table that is not described");
            return see_object(target);
        }
        return {};
    }

    // Sorts the reached types by name and maps their old positions to new ones. Returns false if
    // two types share a name, because they would be mistaken for each other.
    template <class Type>
    static bool sort_types(const flatbuffers::Vector<flatbuffers::Offset<Type>>& all,
                           const std::vector<bool>& seen, std::vector<const Type*>& types,
                           std::vector<std::int32_t>& positions) {
        std::vector<std::uint32_t> order;
        for (std::uint32_t i = 0; i < seen.size(); ++i)
            if (seen[i])
                order.push_back(i);
        const auto name = [&](std::uint32_t i) { return text_of(all.Get(i)->name()); };
        std::ranges::sort(order, {}, name);
        positions.assign(seen.size(), -1);
        for (const std::uint32_t i : order) {
            positions[i] = static_cast<std::int32_t>(types.size());
            types.push_back(all.Get(i));
        }
        return std::ranges::adjacent_find(order, {}, name) == order.end();
    }

    result<reached_types> sorted(std::int32_t root) const {
        reached_types all;
        if (!sort_types(*from_.objects(), seen_objects_, all.objects, all.object_position) ||
            !sort_types(*from_.enums(), seen_enums_, all.enums, all.enum_position))
            return malformed_schema("two types have the same name");
        all.root = all.object_position[static_cast<std::size_t>(root)];
        return all;
    }

    const reflection::Schema& from_;
    const schema_limits& limits_;
    const object_names& names_;
    std::vector<bool> seen_objects_;
    std::vector<bool> seen_enums_;
    std::vector<std::int32_t> open_;
    std::uint32_t count_ = 0;
};

}  // namespace

const flatbuffers::String* attribute_of(const reflection::Field& of, std::string_view name) {
    if (of.attributes() != nullptr)
        for (const reflection::KeyValue* one : *of.attributes())
            if (text_of(one->key()) == name)
                return one->value();
    return nullptr;
}

object_names::object_names(const reflection::Schema& in) {
    sorted_.reserve(in.objects()->size());
    for (flatbuffers::uoffset_t i = 0; i < in.objects()->size(); ++i)
        sorted_.push_back({text_of(in.objects()->Get(i)->name()), static_cast<std::int32_t>(i)});
    // Sorted by name, then by position, so that the first of two equal names is found: a hostile
    // schema may hold both.
    std::ranges::sort(sorted_, {}, [](const entry& of) { return std::pair{of.name, of.position}; });
}

std::int32_t object_names::find(std::string_view name) const noexcept {
    const auto at = std::ranges::lower_bound(sorted_, name, {}, &entry::name);
    return at == sorted_.end() || at->name != name ? -1 : at->position;
}

std::int32_t object_names::find_from(std::string_view parent, std::string_view name) const {
    for (std::string scope{parent};;) {
        const std::size_t dot = scope.rfind('.');
        scope.resize(dot == std::string::npos ? 0 : dot);
        std::string whole = scope;
        whole += scope.empty() ? "" : ".";
        whole += name;
        if (const std::int32_t position = find(whole); position >= 0)
            return position;
        if (scope.empty())
            return -1;
    }
}

result<reached_types> reach(const reflection::Schema& from, std::string_view table,
                            const schema_limits& limits, const object_names& names) {
    if (table.empty()) {
        if (from.root_table() == nullptr)
            return fail(errc::not_found, "the binary schema has no root type: name a table");
        table = text_of(from.root_table()->name());
    }
    const std::int32_t root = names.find(table);
    if (root < 0)
        return fail(errc::not_found,
                    "the binary schema has no table " + std::string{table.substr(0, 256)});
    return explorer{from, limits, names}.explore(root);
}

}  // namespace pawl::detail
