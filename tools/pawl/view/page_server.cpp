#include "view/page_server.hpp"

#include "terminal/output.hpp"

#include <fmt/format.h>
#include <httplib.h>
#include <nlohmann/json.hpp>
#include <sys/random.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <cstddef>
#include <new>
#include <thread>
#include <utility>

namespace pawl::cli {

namespace {

constexpr int bad_request = 400;
constexpr int forbidden = 403;
constexpr int not_there = 404;
constexpr int method_not_allowed = 405;
constexpr int server_error = 500;

int status_of(errc code) {
    switch (code) {
        case errc::invalid_argument:
            return bad_request;
        case errc::not_found:
        case errc::pruned:
            return not_there;
        default:
            return server_error;
    }
}

// Takes the same time wherever they differ.
bool are_equal(std::string_view left, std::string_view right) {
    if (left.size() != right.size())
        return false;
    unsigned difference = 0;
    for (std::size_t i = 0; i < left.size(); ++i)
        difference |= static_cast<unsigned char>(left[i]) ^ static_cast<unsigned char>(right[i]);
    return difference == 0;
}

// Whatever the port: a tunnel may have another one at its other end.
bool is_this_machine(std::string_view host) {
    const std::size_t colon = host.rfind(':');
    if (colon != std::string_view::npos && host.find(']', colon) == std::string_view::npos)
        host = host.substr(0, colon);
    return host == "127.0.0.1" || host == "localhost" || host == "[::1]";
}

void set_text(httplib::Response& response, int status, const char* text) {
    response.status = status;
    response.set_content(text, "text/plain; charset=utf-8");
}

void set_error(httplib::Response& response, const error& what) {
    response.status = status_of(what.code);
    response.set_content(nlohmann::ordered_json{{"error", error_json(what)}}.dump(
                             -1, ' ', false, nlohmann::ordered_json::error_handler_t::replace),
                         "application/json");
}

// The page loads nothing from elsewhere, and no other page can hold it or read what it says.
const httplib::Headers& fixed_headers() {
    static const httplib::Headers all{
        {"Content-Security-Policy",
         "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src "
         "data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"},
        {"Cross-Origin-Resource-Policy", "same-origin"},
        {"Cross-Origin-Opener-Policy", "same-origin"},
        {"Referrer-Policy", "no-referrer"},
        {"X-Content-Type-Options", "nosniff"},
        {"Cache-Control", "no-store"},
    };
    return all;
}

// Another program of this user must not be able to listen on the same port, which SO_REUSEPORT, the
// default of httplib, allows.
void set_socket_options(int socket) {
    const int yes = 1;
    (void)setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
}

}  // namespace

std::string page_parameters::text(const std::string& name) const {
    const auto at = all_.find(name);
    return at == all_.end() ? std::string{} : at->second;
}

result<std::optional<std::uint64_t>> page_parameters::number(const std::string& name) const {
    const std::string digits = text(name);
    if (digits.empty())
        return std::nullopt;
    std::uint64_t value = 0;
    const auto [end, problem] =
        std::from_chars(digits.data(), digits.data() + digits.size(), value);
    if (problem != std::errc{} || end != digits.data() + digits.size())
        return fail(errc::invalid_argument,
                    fmt::format("{} is '{}', which is no number of 64 bits", name, digits));
    return value;
}

result<std::uint64_t> page_parameters::number(const std::string& name, std::uint64_t otherwise,
                                              std::uint64_t least, std::uint64_t most) const {
    const auto given = number(name);
    if (!given)
        return std::unexpected(given.error());
    const std::uint64_t value = given->value_or(otherwise);
    if (value < least || value > most)
        return fail(errc::invalid_argument,
                    fmt::format("{} is {}, and must be {} to {}", name, value, least, most));
    return value;
}

result<std::string> random_token() {
    constexpr std::size_t bytes = 16;
    std::array<unsigned char, bytes> random{};
    if (getrandom(random.data(), random.size(), 0) != static_cast<ssize_t>(random.size()))
        return std::unexpected(error{
            .code = errc::io, .os_error = errno, .detail = "no random numbers from the system"});
    return fmt::format("{:02x}", fmt::join(random, ""));
}

struct page_server::state {
    std::string token{};
    std::map<std::string, page_route, std::less<>> routes{};
    httplib::Server http{};
    std::thread serving{};

    void answer(const httplib::Request& request, httplib::Response& response) const;
    void answer_route(std::string_view path, const httplib::Request& request,
                      httplib::Response& response) const;
};

void page_server::state::answer(const httplib::Request& request,
                                httplib::Response& response) const {
    for (const auto& [name, value] : fixed_headers())
        response.set_header(name, value);
    if (!is_this_machine(request.get_header_value("Host")))
        return set_text(response, forbidden, "Only for 127.0.0.1 and localhost.\n");
    if (request.method != "GET") {
        response.set_header("Allow", "GET");
        return set_text(response, method_not_allowed, "Only GET.\n");
    }
    const std::string_view path{request.path};
    if (path.size() <= token.size() + 1 || path[0] != '/' || path[token.size() + 1] != '/' ||
        !are_equal(path.substr(1, token.size()), token))
        return set_text(response, forbidden,
                        "The address lacks the token that pawl view has printed.\n");
    answer_route(path.substr(token.size() + 2), request, response);
}

void page_server::state::answer_route(std::string_view path, const httplib::Request& request,
                                      httplib::Response& response) const {
    const auto route = routes.find(path);
    if (route == routes.end())
        return set_text(response, not_there, "Nothing has this address.\n");
    try {
        auto found = route->second(page_parameters{request.params});
        if (!found)
            return set_error(response, found.error());
        response.status = 200;
        response.set_content(found->body, found->type.c_str());
    } catch (const std::bad_alloc&) {
        set_text(response, server_error, "Out of memory.\n");
    }
}

page_server::page_server(std::string token) : state_{std::make_unique<state>()} {
    state_->token = std::move(token);
}

page_server::~page_server() {
    if (!state_->serving.joinable())
        return;
    state_->http.stop();
    state_->serving.join();
}

void page_server::add(std::string path, page_route route) {
    state_->routes.emplace(std::move(path), std::move(route));
}

result<std::uint16_t> page_server::listen(std::uint16_t port) {
    httplib::Server& http = state_->http;
    constexpr std::size_t threads = 4;
    constexpr time_t timeout_s = 5;
    http.new_task_queue = [] { return new httplib::ThreadPool(threads); };
    // A connection that is kept open holds a thread.
    http.set_keep_alive_max_count(1);
    http.set_read_timeout(timeout_s);
    http.set_write_timeout(timeout_s);
    http.set_payload_max_length(0);
    http.set_socket_options(&set_socket_options);
    http.set_pre_routing_handler(
        [this](const httplib::Request& request, httplib::Response& response) {
            state_->answer(request, response);
            return httplib::Server::HandlerResponse::Handled;
        });
    constexpr const char* loopback = "127.0.0.1";
    const int bound = port == 0 ? http.bind_to_any_port(loopback)
                                : (http.bind_to_port(loopback, port) ? int{port} : -1);
    if (bound <= 0)
        return std::unexpected(
            error{.code = errc::io,
                  .os_error = errno,
                  .detail = fmt::format("cannot listen on {}:{}", loopback, port)});
    state_->serving = std::thread{[&http] { http.listen_after_bind(); }};
    // Otherwise a stop that follows at once would not be seen.
    while (!http.is_running())
        std::this_thread::yield();
    return static_cast<std::uint16_t>(bound);
}

}  // namespace pawl::cli
