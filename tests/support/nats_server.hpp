// A NATS server with JetStream on a port of the loopback, for tests; it dies with this process.
#pragma once

#include "support/bound_process.hpp"
#include "support/temporary_directory.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string>
#include <thread>

namespace pawl::test {

// A port of the loopback that was free a moment ago.
[[nodiscard]] inline std::uint16_t free_port() {
    const int descriptor = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t bytes = sizeof address;
    const bool found =
        ::bind(descriptor, reinterpret_cast<const sockaddr*>(&address), bytes) == 0 &&
        ::getsockname(descriptor, reinterpret_cast<sockaddr*>(&address), &bytes) == 0;
    ::close(descriptor);
    if (!found)
        throw std::runtime_error("no free port");
    return ntohs(address.sin_port);
}

class nats_server {
  public:
    // The program, or empty if it is not installed (Debian package nats-server).
    [[nodiscard]] static std::string installed() {
        for (const char* each :
             {"/usr/sbin/nats-server", "/usr/bin/nats-server", "/usr/local/bin/nats-server"})
            if (::access(each, X_OK) == 0)
                return each;
        return {};
    }

    struct settings {
        std::string name = "n1";
        std::string more{};  // lines of its configuration
    };

    nats_server() : nats_server{settings{}} {}
    explicit nats_server(const settings& with) : port_{free_port()} {
        std::ofstream to{home_.path() / "conf"};
        to << "server_name: " << with.name << "\nlisten: \"127.0.0.1:" << port_
           << "\"\njetstream { store_dir: \"" << store().string()
           << "\", max_mem: 64MB, max_file: 8GB }\n"
           << with.more << '\n';
    }
    nats_server(const nats_server&) = delete;
    nats_server& operator=(const nats_server&) = delete;

    [[nodiscard]] std::string url() const { return "nats://127.0.0.1:" + std::to_string(port_); }
    [[nodiscard]] std::filesystem::path store() const { return home_.path() / "store"; }

    // Starts it, and waits until it accepts connections.
    void start() {
        const std::string program = installed();
        const std::string log = home_.path() / "log";
        running_ = bound_process{{program, "-c", home_.path() / "conf"}, log};
        const auto limit = std::chrono::steady_clock::now() + std::chrono::seconds{20};
        while (!accepts()) {
            if (!running_.is_running() || std::chrono::steady_clock::now() > limit)
                throw std::runtime_error("nats-server does not start; see " + log);
            std::this_thread::sleep_for(std::chrono::milliseconds{20});
        }
    }
    void kill() { running_.kill(); }

  private:
    [[nodiscard]] bool accepts() const {
        const int descriptor = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_port = htons(port_);
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        const bool done =
            ::connect(descriptor, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
        ::close(descriptor);
        return done;
    }

    temporary_directory home_;
    std::uint16_t port_;
    bound_process running_;
};

}  // namespace pawl::test
