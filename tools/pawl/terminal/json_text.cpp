#include "terminal/json_text.hpp"

#include <nlohmann/json.hpp>

namespace pawl::cli {

void append_json_string(std::string& to, std::string_view text) {
    using nlohmann::json;
    to += json(text).dump(-1, ' ', false, json::error_handler_t::replace);
}

}  // namespace pawl::cli
