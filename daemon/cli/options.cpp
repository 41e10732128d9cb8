#include "daemon/cli/options.hpp"

#include "config/base/units.hpp"

#include <CLI/CLI.hpp>

#include <array>
#include <string_view>

namespace mailferry::daemon::cli {
namespace {

constexpr int exit_usage = 2;

/// CLI11 has statuses of its own; the contract has one for whatever the caller got wrong.
Exited end(CLI::App const& app, CLI::ParseError const& error) {
    return {app.exit(error) == 0 ? 0 : exit_usage};
}

struct PlainVerb {
    std::string_view name, help;
};

// Verbs without arguments of their own.
constexpr std::array<PlainVerb, 7> plain_verbs{{
    {"copy", "Run every pass of every migration in this process, then print the report"},
    {"status", "What the daemon does, its passes, sessions, spool and memory"},
    {"passes", "The passes and how far each is"},
    {"limits", "Sessions by admin, spool and memory against their limits"},
    {"retry", "Try the items that failed again"},
    {"reload", "Read configuration and mappings again"},
    {"shutdown", "Stop the daemon; the work goes on at its next start"},
}};

constexpr std::array<PlainVerb, 4> pass_verbs{{
    {"start", "Run a pass, again if it has run before"},
    {"pause", "Let a pass come to rest; its mailboxes keep their place"},
    {"resume", "Go on with a paused pass"},
    {"cancel", "End a pass before its end"},
}};

void add_init_options(CLI::App& init, InitOptions& options) {
    init.add_option("--source-protocol", options.source_protocol, "imap or graph (Microsoft 365)");
    init.add_option("--target-protocol", options.target_protocol, "Default: the source's");
    init.add_option("--mailboxes", options.mailboxes, "How many will move")->type_name("N");
    init.add_option("--since", options.since, "Oldest mail: 180d, 2026-01-31 or all");
    init.add_option("--name", options.name, "Name of the migration (merger)");
    init.add_option("--output", options.output, "Folder to write to (.)")->type_name("DIR");
    init.add_flag("--yes", options.yes, "Ask nothing: take the defaults");
}

void add_verbs(CLI::App& app, Options& options) {
    auto const add = [&](PlainVerb const& verb) {
        auto* const command = app.add_subcommand(std::string(verb.name), std::string(verb.help));
        command->fallthrough();
        return command;
    };
    add_init_options(*add({"init", "Write a configuration and a mapping to begin with"}),
                     options.init);
    for (auto const& verb : plain_verbs) add(verb);
    for (auto const& verb : pass_verbs)
        add(verb)->add_option("pass", options.pass, "Name of the pass")->required();

    auto* const mailboxes = add({"mailboxes", "The mailboxes with state, figures and error"});
    mailboxes->add_option("--state", options.state, "Only mailboxes in this state")
        ->check(CLI::IsMember({"waiting", "running", "done", "failed", "paused", "cancelled"}));
    mailboxes->add_option("--offset", options.offset, "Leave out so many");
    mailboxes->add_option("--limit", options.limit, "Show at most so many (100)")
        ->check(CLI::Range(1, 1'000));

    add({"mailbox", "One mailbox in all its passes"})
        ->add_option("address", options.address, "Its address at source or target")
        ->required();

    auto* const estimate = add(
        {"estimate", "Dry run: what each pass will move, how long, and what stands in its way"});
    estimate
        ->add_option_function<std::string>(
            "--rate",
            [&options](std::string const& text) {
                auto const bytes = parse_bytes(text);
                if (!bytes || bytes->value == 0)
                    throw CLI::ValidationError("--rate", "a size like 20MiB is expected");
                options.rate = bytes->value;
            },
            "Bytes a second to reckon with: 20MiB")
        ->type_name("SIZE");
    estimate->add_option("--hours", options.hours, "Seek the window of mail that fits so many")
        ->check(CLI::Range(1, 100'000));

    auto* const items = add({"items", "The items that failed, with reasons"});
    items
        ->add_flag_callback(
            "--failed", [] {}, "Failed items: the only ones that are listed")
        ->required();
    items->add_option("--limit", options.limit, "Show at most so many (1000)")
        ->check(CLI::Range(1, 10'000));

    add({"report", "What became of every mailbox; exits with the migration's own status"})
        ->add_option("--format", options.format, "text, json, csv or html")
        ->check(CLI::IsMember({"text", "json", "csv", "html"}));
}

}  // namespace

std::variant<Options, Exited> parse_options(int argc, char const* const* argv) {
    Options options;
    CLI::App app("Moves the mailboxes of one organisation into another.", "mailferry");
    app.set_version_flag("--version", "mailferry " MAILFERRY_VERSION);
    auto* const config =
        app.add_option("--config", options.config, "Configuration file")->type_name("FILE");
    app.add_option("--socket", options.socket, "Control socket of the daemon")->type_name("PATH");
    app.add_flag("--json", options.json, "Answer in JSON");
    app.require_subcommand(1);
    app.footer(
        "Exit status: 0 done; 1 done, but some items or mailboxes failed; 2 usage or "
        "configuration is wrong;\n3 the daemon can't be reached; 4 stopped before the end.");
    add_verbs(app, options);
    try {
        app.parse(argc, argv);
        options.verb = app.get_subcommands().front()->get_name();
        bool const reads_it = options.verb == "copy" || options.verb == "estimate";
        if (reads_it && config->count() == 0) throw CLI::RequiredError(options.verb + ": --config");
    } catch (CLI::ParseError const& error) {
        return end(app, error);
    }
    return options;
}

std::variant<DaemonOptions, Exited> parse_daemon_options(int argc, char const* const* argv) {
    DaemonOptions options;
    CLI::App app("The mailferry service, in the foreground.", "mailferryd");
    app.set_version_flag("--version", "mailferryd " MAILFERRY_VERSION);
    app.add_option("--config", options.config, "Configuration file")->type_name("FILE")->required();
    app.add_flag("--check", options.check, "Only check configuration and mappings");
    try {
        app.parse(argc, argv);
    } catch (CLI::ParseError const& error) {
        return end(app, error);
    }
    return options;
}

}  // namespace mailferry::daemon::cli
