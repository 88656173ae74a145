// `pawl view` while it runs.
#pragma once

#include "cli_support.hpp"

#include <httplib.h>
#include <nlohmann/json.hpp>

#include <chrono>
#include <stdexcept>
#include <string>
#include <thread>

namespace pawl::test {

class running_view {
  public:
    explicit running_view(const std::string& directory)
        : program_{{program, "view", "--json", directory}} {
        // It prints its address or, if it fails, a line on standard error.
        while (!contains(program_.out(), "\n") && program_.err().empty())
            std::this_thread::sleep_for(std::chrono::milliseconds{2});
        if (!program_.err().empty())
            throw std::runtime_error(program_.err());
        url_ = nlohmann::json::parse(program_.out())["url"];
        const std::size_t port_at = url_.rfind(':') + 1;
        const std::size_t path_at = url_.find('/', port_at);
        port_ = std::stoi(url_.substr(port_at, path_at - port_at));
        path_ = url_.substr(path_at);
    }

    [[nodiscard]] const std::string& url() const noexcept { return url_; }
    [[nodiscard]] int port() const noexcept { return port_; }
    // With the token, and a slash at both ends.
    [[nodiscard]] const std::string& path() const noexcept { return path_; }

    [[nodiscard]] httplib::Result get(const std::string& address,
                                      const httplib::Headers& headers = {}) const {
        httplib::Client client{"127.0.0.1", port_};
        httplib::Result answer = client.Get(path_ + address, headers);
        if (!answer)
            throw std::runtime_error("no answer from " + path_ + address);
        return answer;
    }
    // Of an answer with status 200.
    [[nodiscard]] nlohmann::json json(const std::string& address) const {
        const httplib::Result answer = get(address);
        if (answer->status != 200)
            throw std::runtime_error(address + ": " + answer->body);
        return nlohmann::json::parse(answer->body);
    }
    [[nodiscard]] int status(const std::string& address,
                             const httplib::Headers& headers = {}) const {
        return get(address, headers)->status;
    }

    [[nodiscard]] finished_process interrupt() {
        program_.send(SIGINT);
        return program_.wait();
    }

  private:
    process program_;
    std::string url_;
    std::string path_;
    int port_ = 0;
};

}  // namespace pawl::test
