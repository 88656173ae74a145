// The little of HTTP that a page on this machine needs: GET, on loopback.
#pragma once

#include <pawl/journal/error.hpp>

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace pawl::cli {

// What follows the question mark. An empty value is none.
class page_parameters {
  public:
    explicit page_parameters(std::multimap<std::string, std::string> all) : all_{std::move(all)} {}

    // Empty if it is not there.
    [[nodiscard]] std::string text(const std::string& name) const;
    // Fails with invalid_argument if it is there and no number of 64 bits.
    [[nodiscard]] result<std::optional<std::uint64_t>> number(const std::string& name) const;
    // The number, which must be within the limits, or the default.
    [[nodiscard]] result<std::uint64_t> number(const std::string& name, std::uint64_t otherwise,
                                               std::uint64_t least, std::uint64_t most) const;

  private:
    std::multimap<std::string, std::string> all_;
};

struct page_answer {
    std::string body{};
    std::string type = "application/json";
};

// Called on several threads at once.
using page_route = std::function<result<page_answer>(const page_parameters&)>;

// 32 hexadecimal digits, from the system's random numbers.
[[nodiscard]] result<std::string> random_token();

// Every path begins with the token, so that a page's relative links have it, too, and a reload
// keeps it. Whoever does not know the token gets 403 and learns nothing; so does a request whose
// Host is not this machine, as that of a web page whose name was made to resolve to it (DNS
// rebinding). Anything but GET gets 405, and its body is not read. An error of a route is an object
// with `error`, at 400 if the request is at fault, 404 if what it names is not there, otherwise
// 500.
class page_server {
  public:
    explicit page_server(std::string token);
    page_server(const page_server&) = delete;
    page_server& operator=(const page_server&) = delete;
    ~page_server();  // waits for the routes that are being answered

    // The path after the token and its slash; empty: the page itself. Before listen().
    void add(std::string path, page_route route);

    // Serves on 127.0.0.1 from now on; 0: a free port. Returns the port. Fails with io if it is in
    // use.
    [[nodiscard]] result<std::uint16_t> listen(std::uint16_t port);

  private:
    struct state;
    std::unique_ptr<state> state_;
};

}  // namespace pawl::cli
