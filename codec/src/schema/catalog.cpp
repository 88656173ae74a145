#include <pawl/codec/catalog.hpp>
#include <pawl/journal/detail/guarded.hpp>
#include <pawl/journal/journal.hpp>

#include <algorithm>
#include <iterator>
#include <map>

namespace pawl {

namespace {

std::string_view without_namespace(std::string_view name) noexcept {
    const std::size_t dot = name.rfind('.');
    return dot == std::string_view::npos ? name : name.substr(dot + 1);
}

std::pair<std::uint16_t, std::uint16_t> key_of(const auto& described) noexcept {
    return {described.type, described.schema_version};
}

}  // namespace

result<event_catalog> event_catalog::load(const std::filesystem::path& directory) {
    auto held = descriptions(directory);
    if (!held)
        return std::unexpected(std::move(held.error()));
    return from(*held);
}

result<event_catalog> event_catalog::from(std::span<const recorded_description> descriptions) {
    return detail::guarded([&]() -> result<event_catalog> {
        std::map<std::pair<std::uint16_t, std::uint16_t>, const recorded_description*> last;
        for (const recorded_description& each : descriptions)
            last[key_of(each)] = &each;
        event_catalog made;
        for (const auto& [key, each] : last) {
            auto shape = schema::load(each->bytes);
            if (shape) {
                if (auto named = made.add_earlier_names(*shape, *each, descriptions); !named)
                    return std::unexpected(std::move(named.error()));
                made.events_.push_back({each->type, each->schema_version, std::move(*shape)});
                continue;
            }
            error why = std::move(shape.error());
            if (why.code == errc::out_of_memory)
                return std::unexpected(std::move(why));
            why.detail = "the description of type " + std::to_string(each->type) +
                         ", schema version " + std::to_string(each->schema_version) + ": " +
                         why.detail;
            made.rejected_.push_back(std::move(why));
        }
        made.name_types();
        return made;
    });
}

// The names that the earlier descriptions of the same type and version give its fields and table.
result<void> event_catalog::add_earlier_names(schema& to, const recorded_description& last,
                                              std::span<const recorded_description> all) {
    for (const recorded_description& each : all) {
        if (&each == &last || key_of(each) != key_of(last))
            continue;
        const auto earlier = schema::load(each.bytes);
        if (!earlier)
            continue;
        if (auto added = to.add_aliases_of(*earlier); !added)
            return added;
        earlier_names_.emplace_back(earlier->table(), last.type);
    }
    return {};
}

// The newest names come first, so that no earlier name hides one.
void event_catalog::name_types() {
    std::map<std::string_view, unsigned> uses;
    for (std::size_t i = 0; i < events_.size(); ++i)
        if (newest(events_[i].type) == &events_[i])
            ++uses[without_namespace(events_[i].shape.table())];
    for (const described_event& each : events_) {
        if (newest(each.type) != &each)
            continue;
        const std::string_view full = each.shape.table();
        const std::string_view brief = without_namespace(full);
        names_.emplace_back(uses[brief] == 1 ? brief : full, each.type);
    }
    for (const named_type& each : names_)
        add_alias(each.first, each.second);
    for (const described_event& each : events_)
        add_alias(each.shape.table(), each.type);
    for (const described_event& each : events_)
        add_alias(without_namespace(each.shape.table()), each.type);
    for (const named_type& each : earlier_names_)
        add_alias(each.first, each.second);
    for (const named_type& each : earlier_names_)
        add_alias(without_namespace(each.first), each.second);
}

void event_catalog::add_alias(std::string_view name, std::uint16_t type) {
    const auto at = std::ranges::lower_bound(aliases_, name, {}, &named_type::first);
    if (at == aliases_.end() || at->first != name)
        aliases_.emplace(at, name, type);
}

const described_event* event_catalog::find(std::uint16_t type,
                                           std::uint16_t schema_version) const noexcept {
    const std::pair key{type, schema_version};
    const auto at = std::ranges::lower_bound(events_, key, {}, key_of<described_event>);
    return at == events_.end() || key_of(*at) != key ? nullptr : &*at;
}

const described_event* event_catalog::newest(std::uint16_t type) const noexcept {
    const auto after = std::ranges::upper_bound(events_, type, {}, &described_event::type);
    if (after == events_.begin() || std::prev(after)->type != type)
        return nullptr;
    return &*std::prev(after);
}

std::string_view event_catalog::name_of(std::uint16_t type) const noexcept {
    const auto at = std::ranges::lower_bound(names_, type, {}, &named_type::second);
    return at == names_.end() || at->second != type ? std::string_view{} : at->first;
}

std::optional<std::uint16_t> event_catalog::type_named(std::string_view name) const noexcept {
    const auto at = std::ranges::lower_bound(aliases_, name, {}, &named_type::first);
    if (at == aliases_.end() || at->first != name)
        return std::nullopt;
    return at->second;
}

}  // namespace pawl
