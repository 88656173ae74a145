#include "append/schema_source.hpp"

#include <flatbuffers/idl.h>
#include <flatbuffers/reflection_generated.h>
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <fstream>
#include <iterator>
#include <system_error>
#include <utility>

namespace pawl::cli {

namespace {

result<std::string> read_file(const std::filesystem::path& path) {
    std::ifstream file{path, std::ios::binary};
    std::string text{std::istreambuf_iterator<char>{file}, {}};
    if (!file)
        return std::unexpected(
            error{.code = errc::io, .file = path.string(), .detail = "cannot read the schema"});
    return text;
}

// The table's name in the namespace that holds its shape of a version: "shop.v1.order_placed".
std::string in_version(std::string_view table, std::uint16_t version) {
    const std::size_t dot = table.rfind('.');
    const std::string_view space =
        dot == std::string_view::npos ? std::string_view{} : table.substr(0, dot + 1);
    return fmt::format("{}v{}.{}", space, version, table.substr(space.size()));
}

bool is_old(std::string_view table) {
    const std::size_t dot = table.rfind('.');
    if (dot == std::string_view::npos)
        return false;
    std::string_view space = table.substr(0, dot);
    space = space.substr(space.rfind('.') + 1);
    return space.size() > 1 && space.front() == 'v' &&
           space.substr(1).find_first_not_of("0123456789") == std::string_view::npos;
}

}  // namespace

result<std::vector<std::byte>> read_schema_file(const std::filesystem::path& path) {
    auto text = read_file(path);
    if (!text)
        return std::unexpected(std::move(text.error()));
    if (path.extension() == ".bfbs") {
        const auto bytes = std::as_bytes(std::span{*text});
        return std::vector<std::byte>{bytes.begin(), bytes.end()};
    }
    flatbuffers::IDLOptions options;
    options.binary_schema_builtins = true;
    options.lang_to_generate = flatbuffers::IDLOptions::kCpp;  // unions of structs and strings
    flatbuffers::Parser parser{options};
    const std::string folder = path.has_parent_path() ? path.parent_path().string() : ".";
    const char* include[] = {folder.c_str(), nullptr};
    if (!parser.Parse(text->c_str(), include, path.string().c_str()))
        return std::unexpected(
            error{.code = errc::invalid_argument, .file = path.string(), .detail = parser.error_});
    parser.Serialize();
    const auto* data = reinterpret_cast<const std::byte*>(parser.builder_.GetBufferPointer());
    return std::vector<std::byte>{data, data + parser.builder_.GetSize()};
}

std::vector<detail::event_shape> type_shapes::numbered(std::uint16_t as) const {
    std::vector<detail::event_shape> made;
    made.reserve(shapes.size());
    for (const shape& each : shapes)
        made.push_back({as, each.schema_version, each.table, each.bfbs});
    return made;
}

result<schema_source> schema_source::open(const std::filesystem::path& path) {
    schema_source made;
    made.path_ = path.string();
    std::error_code ignored;
    if (std::filesystem::is_directory(path, ignored)) {
        auto types = event_catalog::load(path);
        if (!types)
            return std::unexpected(std::move(types.error()));
        made.types_.emplace(std::move(*types));
        return made;
    }
    auto bfbs = read_schema_file(path);
    if (!bfbs)
        return std::unexpected(std::move(bfbs.error()));
    flatbuffers::Verifier verifier{reinterpret_cast<const std::uint8_t*>(bfbs->data()),
                                   bfbs->size()};
    if (bfbs->size() < 8 || !reflection::VerifySchemaBuffer(verifier))
        return std::unexpected(
            error{.code = errc::malformed, .file = made.path_, .detail = "it is no binary schema"});
    for (const auto* object : *reflection::GetSchema(bfbs->data())->objects())
        if (!object->is_struct())
            made.tables_.push_back(object->name()->str());
    made.bfbs_ = std::move(*bfbs);
    return made;
}

result<type_shapes> schema_source::find(std::string_view name) const {
    return types_ ? find_in_journal(name) : find_in_file(name);
}

result<type_shapes> schema_source::find_in_file(std::string_view name) const {
    const std::string suffix = fmt::format(".{}", name);
    std::string found;
    for (const std::string& table : tables_) {
        if (table == name) {
            found = table;
            break;
        }
        if (!table.ends_with(suffix) || is_old(table))
            continue;
        if (!found.empty())
            return fail(errc::invalid_argument,
                        fmt::format("'{}' may be {} or {} of {}", name, found, table, path_));
        found = table;
    }
    if (found.empty())
        return fail(errc::not_found, fmt::format("{} has no table '{}'", path_, name));
    type_shapes made;
    std::uint16_t version = 1;
    for (std::string old = in_version(found, version);
         std::ranges::find(tables_, old) != tables_.end(); old = in_version(found, ++version))
        made.shapes.push_back({version, old, bfbs_});
    made.shapes.push_back({version, found, bfbs_});
    return made;
}

result<type_shapes> schema_source::find_in_journal(std::string_view name) const {
    std::uint16_t number = 0;
    const auto [end, problem] = std::from_chars(name.data(), name.data() + name.size(), number);
    const bool numeric = problem == std::errc{} && end == name.data() + name.size();
    const auto type = numeric ? std::optional{number} : types_->type_named(name);
    type_shapes made{.type = type};
    for (const described_event& each : types_->events())
        if (type == each.type)
            made.shapes.push_back(
                {each.schema_version, std::string{each.shape.table()}, each.shape.bytes()});
    if (made.shapes.empty())
        return fail(errc::not_found,
                    fmt::format("the journal {} describes no event type '{}'", path_, name));
    return made;
}

}  // namespace pawl::cli
