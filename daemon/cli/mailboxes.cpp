#include "daemon/cli/verb.hpp"

#include "config/base/units.hpp"
#include "daemon/control_target.hpp"
#include "daemon/report_advice.hpp"
#include "daemon/text_layout.hpp"

#include <boost/json/array.hpp>

namespace mailferry::daemon::cli {

namespace json = boost::json;

namespace {

std::string mailboxes_text(json::object const& body) {
    TextTable table({{"Source"}, {"Target"}, {"Pass"}, {"State"}, {"Items"}, {"Error"}});
    for_each_object(body, "mailboxes", [&](json::object const& mailbox) {
        table.add({text(mailbox, "source"), text(mailbox, "target"),
                   text(mailbox, "migration") + " / " + text(mailbox, "pass"),
                   text(mailbox, "state"), work_text(mailbox), text(mailbox, "error")});
    });
    if (table.empty()) return "No mailboxes match.\n";
    auto out = table.text();
    if (truth(body, "more")) {
        auto const next = number(body, "offset") + array(body, "mailboxes").size();
        out.append("... and more: go on with --offset ").append(std::to_string(next)).append("\n");
    }
    return out;
}

std::string mailbox_text(json::object const& body) {
    std::string out;
    for_each_object(body, "mailboxes", [&](json::object const& mailbox) {
        if (!out.empty()) out.push_back('\n');
        auto const line = [&](std::string_view name, std::string const& value) {
            if (!value.empty()) out.append(pad_right(name, 10)).append(value).push_back('\n');
        };
        line("Source", text(mailbox, "source"));
        line("Target", text(mailbox, "target"));
        line("Pass", text(mailbox, "migration") + " / " + text(mailbox, "pass"));
        line("Wave", text(mailbox, "wave"));
        line("State", text(mailbox, "state"));
        line("Items", work_text(mailbox));
        if (number(mailbox, "items_planned") > 0)
            line("This run", format_count(number(mailbox, "items_done")) + " of " +
                                 format_count(number(mailbox, "items_planned"), "item", "items") +
                                 ", " + format_bytes(number(mailbox, "bytes_done")) + " of " +
                                 format_bytes(number(mailbox, "bytes_planned")));
        line("Folder", text(mailbox, "folder"));
        auto const error = text(mailbox, "error");
        line("Error", error);
        if (auto const code = code_in(error)) line("Next", std::string(next_step(*code)));
    });
    return out;
}

}  // namespace

int run_mailboxes(Context const& context) {
    auto const& options = context.options;
    auto target = "/v1/mailboxes?offset=" + std::to_string(options.offset) +
                  "&limit=" + std::to_string(options.limit.value_or(100));
    if (!options.state.empty()) target.append("&state=").append(encode_segment(options.state));
    return ask(context, "GET", target, mailboxes_text);
}

int run_mailbox(Context const& context) {
    return ask(context, "GET", "/v1/mailbox/" + encode_segment(context.options.address),
               mailbox_text);
}

}  // namespace mailferry::daemon::cli
