#include "commands/commands.hpp"
#include "terminal/interrupt.hpp"
#include "terminal/output.hpp"
#include "view/journal_page.hpp"
#include "view/page_server.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <chrono>
#include <thread>
#include <utility>

namespace pawl::cli {

exit_code view(const view_options& options) {
    auto page = journal_page::open(options.directory, options.allow_network_file_system);
    if (!page)
        return complain(page.error());
    const auto token = random_token();
    if (!token)
        return complain(token.error());
    catch_interrupts();
    constexpr std::chrono::milliseconds first_look{300};
    (*page)->wait_for_map(first_look);
    page_server server{*token};
    (*page)->add_to(server);
    const auto port = server.listen(options.port);
    if (!port)
        return complain(port.error());
    const std::string address = fmt::format("http://127.0.0.1:{}/{}/", *port, *token);
    if (options.json)
        put(nlohmann::ordered_json{{"directory", options.directory.string()}, {"url", address}}
                .dump() +
            '\n');
    else
        put(fmt::format("{}\nOpen this address in a browser on this machine; Ctrl-C ends it.\n",
                        address));
    if (const exit_code shown = finish_output(success); shown != success)
        return shown;
    constexpr std::chrono::milliseconds look_each{100};
    while (!interrupted())
        std::this_thread::sleep_for(look_each);
    return success;
}

}  // namespace pawl::cli
