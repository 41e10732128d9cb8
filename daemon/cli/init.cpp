#include "daemon/cli/init.hpp"

#include "config/names.hpp"
#include "daemon/cli/init_plan.hpp"
#include "daemon/cli/verb.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <functional>
#include <system_error>

namespace mailferry::daemon::cli {
namespace {

using config::Protocol;

Error refusal(std::string reason) { return {Errc::invalid_config, std::move(reason)}; }

Result<Protocol> parse_protocol(std::string_view text) {
    for (auto const protocol : {Protocol::imap, Protocol::graph})
        if (config::to_string(protocol) == text) return protocol;
    return refusal("accepted are \"imap\" and \"graph\" (Microsoft 365)");
}

Result<std::uint64_t> parse_mailboxes(std::string_view text) {
    std::uint64_t count = 0;
    auto const* const end = text.data() + text.size();
    auto const [rest, failure] = std::from_chars(text.data(), end, count);
    if (failure != std::errc{} || rest != end || count == 0 || count > mailboxes_max)
        return refusal("expected is a number from 1 to " + std::to_string(mailboxes_max));
    return count;
}

Result<std::string> parse_name(std::string_view text) {
    constexpr std::string_view letters =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    if (text.empty() || text.size() > 64 || text.find_first_not_of(letters) != text.npos)
        return refusal("a name has 1 to 64 of the characters A-Z a-z 0-9 - _");
    return std::string(text);
}

/// One answer after the other: from its option, from the terminal, or its default.
class Questions {
public:
    Questions(bool take_defaults, std::istream* answers, std::ostream& out, std::ostream& err)
        : answers_(take_defaults ? nullptr : answers),
          take_defaults_(take_defaults),
          out_(out),
          err_(err) {}

    /// `fallback` empty: there is no default. Nothing once an answer is missing or wrong; the
    /// reason was printed.
    template <class T>
    std::optional<T> ask(std::string_view option, std::string const& given,
                         std::string_view question, std::string const& fallback,
                         std::function<Result<T>(std::string_view)> const& parse) {
        if (!given.empty()) return judged<T>(option, parse(given));
        if (answers_ != nullptr) return asked<T>(question, fallback, parse);
        if (take_defaults_ && !fallback.empty()) return judged<T>(option, parse(fallback));
        err_ << "mailferry: " << option << " is missing"
             << (take_defaults_ ? "\n"
                                : ", and there is no terminal to ask; --yes takes the "
                                  "defaults where there are any\n");
        return std::nullopt;
    }

private:
    template <class T>
    std::optional<T> judged(std::string_view option, Result<T> value) {
        if (value) return std::move(*value);
        err_ << "mailferry: " << option << ": " << value.error().context << "\n";
        return std::nullopt;
    }

    template <class T>
    std::optional<T> asked(std::string_view question, std::string const& fallback,
                           std::function<Result<T>(std::string_view)> const& parse) {
        std::string line;
        for (;;) {
            out_ << question;
            if (!fallback.empty()) out_ << " [" << fallback << "]";
            out_ << ": " << std::flush;
            if (!std::getline(*answers_, line)) {
                err_ << "\nmailferry: no answer; nothing was written\n";
                return std::nullopt;
            }
            auto value = parse(line.empty() ? fallback : line);
            if (value) return std::move(*value);
            out_ << "  " << value.error().context << "\n";
        }
    }

    std::istream* const answers_;
    bool const take_defaults_;
    std::ostream& out_;
    std::ostream& err_;
};

struct Answers {
    InitPlan plan;
    std::filesystem::path folder;
};

std::optional<Answers> collect(InitOptions const& options, Questions& questions, std::ostream& err,
                               std::chrono::sys_seconds now) {
    auto const source = questions.ask<Protocol>("--source-protocol", options.source_protocol,
                                                "Source: imap, or graph for Microsoft 365", "graph",
                                                parse_protocol);
    if (!source) return std::nullopt;
    auto const target = questions.ask<Protocol>(
        "--target-protocol", options.target_protocol, "Target: imap or graph",
        std::string(config::to_string(*source)), parse_protocol);
    if (!target) return std::nullopt;
    if (*source != *target) {
        err << "mailferry: items cross between tenants of the same protocol in this version: "
               "imap→imap, graph→graph\n";
        return std::nullopt;
    }
    Answers answers;
    answers.plan.protocol = *source;
    auto const mailboxes = questions.ask<std::uint64_t>(
        "--mailboxes", options.mailboxes, "How many mailboxes will move", "", parse_mailboxes);
    if (!mailboxes) return std::nullopt;
    answers.plan.mailboxes = *mailboxes;
    auto oldest = questions.ask<OldestMail>(
        "--since", options.since, "Oldest mail to copy: an age like 180d, a date, or all",
        *mailboxes <= one_pass_mailboxes_max ? "180d" : "all",
        [&](std::string_view text) { return parse_oldest_mail(text, now); });
    if (!oldest) return std::nullopt;
    answers.plan.oldest = std::move(*oldest);
    auto name = questions.ask<std::string>("--name", options.name, "Name of the migration",
                                           "merger", parse_name);
    if (!name) return std::nullopt;
    answers.plan.name = std::move(*name);
    auto const folder = questions.ask<std::string>(
        "--output", options.output.string(), "Folder to write to", ".",
        [](std::string_view text) { return Result<std::string>(std::string(text)); });
    if (!folder) return std::nullopt;
    answers.folder = *folder;
    return answers;
}

std::string reason_of(int error_number) { return std::generic_category().message(error_number); }

/// Writes a file that isn't there yet. exists: somebody else's, and left alone.
Result<void> write_new(std::filesystem::path const& file, std::string_view text) {
    auto const descriptor =
        ::open(file.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0640);
    if (descriptor < 0) {
        if (errno == EEXIST) return refusal(file.string() + " is there already; it isn't touched");
        return Error{Errc::io_error, file.string() + ": " + reason_of(errno)};
    }
    int error_number = 0;
    while (!text.empty() && error_number == 0) {
        auto const count = ::write(descriptor, text.data(), text.size());
        if (count >= 0) {
            text.remove_prefix(static_cast<std::size_t>(count));
        } else if (errno != EINTR) {
            error_number = errno;
        }
    }
    if (::close(descriptor) != 0 && error_number == 0) error_number = errno;
    if (error_number == 0) return {};
    ::unlink(file.c_str());
    return Error{Errc::io_error, file.string() + ": " + reason_of(error_number)};
}

/// Both files or neither.
Result<void> write_both(std::filesystem::path const& config, std::filesystem::path const& mapping,
                        InitPlan const& plan) {
    std::error_code failure;
    std::filesystem::create_directories(config.parent_path(), failure);
    if (failure)
        return Error{Errc::io_error, config.parent_path().string() + ": " + failure.message()};
    auto const first = write_new(config, config_text(plan));
    if (!first) return first;
    auto const second = write_new(mapping, mapping_text(plan));
    if (!second) ::unlink(config.c_str());
    return second;
}

void print_next_steps(std::filesystem::path const& config, std::filesystem::path const& mapping,
                      InitPlan const& plan, std::ostream& out) {
    out << "Wrote " << config.string() << " and " << mapping.string() << ".\n\nNext:\n"
        << "  1. Fill in the lines with an arrow (<-) in " << config.string() << ".\n"
        << "  2. Put each secret into its file; mode 0600 keeps it from others:\n";
    for (auto const& file : secret_files_for(plan))
        out << "       install -m 600 /dev/null " << (config.parent_path() / file).string() << "\n";
    out << "  3. List the mailboxes in " << mapping.string() << ".\n"
        << "  4. mailferryd --config " << config.string() << " --check\n"
        << "  5. mailferry copy --config " << config.string() << ", or the service mailferryd.\n";
}

}  // namespace

int run_init(InitOptions const& options, std::istream* answers, std::ostream& out,
             std::ostream& err, std::chrono::sys_seconds now) {
    Questions questions(options.yes, answers, out, err);
    auto const collected = collect(options, questions, err, now);
    if (!collected) return exit_usage;
    auto const config = collected->folder / "mailferry.toml";
    auto const mapping = collected->folder / (collected->plan.name + ".csv");
    auto const written = write_both(config, mapping, collected->plan);
    if (!written) {
        err << "mailferry: " << written.error().context << "\n";
        return written.error().code == Errc::invalid_config ? exit_usage : exit_failed;
    }
    print_next_steps(config, mapping, collected->plan, out);
    return exit_done;
}

}  // namespace mailferry::daemon::cli
