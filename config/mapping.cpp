#include "config/mapping.hpp"

#include "config/csv.hpp"
#include "config/problem_list.hpp"
#include "config/text.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <optional>
#include <system_error>
#include <utility>

namespace mailferry::config {
namespace {

constexpr std::size_t rows_max = 1'000'000;
constexpr std::size_t address_bytes_max = 1024;

enum Column { source, target, wave, source_password_file, target_password_file };
constexpr std::array<std::string_view, 5> column_names{
    "source", "target", "wave", "source_password_file", "target_password_file"};

/// Why `address` can't be a mailbox's name; nothing if it can. Names without a domain are allowed:
/// many IMAP servers know users by their login alone.
std::optional<std::string> address_fault(std::string_view address) {
    if (address.size() > address_bytes_max) return "is longer than 1024 bytes";
    for (auto rest = address; !rest.empty();) {
        auto const code_point = take_code_point(rest);
        if (!code_point) return "is not UTF-8 text";
        if (is_blank(*code_point)) return "has a blank or an invisible character inside";
        if (*code_point < 0x20 || (*code_point >= 0x7F && *code_point < 0xA0))
            return "has a control character";
        if (*code_point == '<' || *code_point == '>') return "is not a bare address: leave out <>";
    }
    auto const at = address.rfind('@');
    if (at == 0) return "has nothing before the @";
    if (at != address.npos && at + 1 == address.size()) return "has nothing behind the @";
    return std::nullopt;
}

class MappingBuilder {
public:
    explicit MappingBuilder(std::filesystem::path const& file)
        : folder_(file.parent_path()), problems_(file.string()) {}

    /// False: nothing behind this can be read any more.
    bool row(CsvRow row) {
        if (!row.fault.empty()) {
            problems_.error(row.line, std::move(row.fault));
            if (columns_) return true;
            return given_up_ = true, false;
        }
        std::array<bool, column_names.size()> trimmed{};
        bool blank = true;
        for (std::size_t i = 0; i < row.fields.size(); ++i) {
            auto const bare = trim_blanks(row.fields[i]);
            bool const differs = bare.size() != row.fields[i].size();
            if (differs && !bare.empty() && i < trimmed.size()) trimmed[i] = true;
            if (differs) row.fields[i] = std::string(bare);
            blank = blank && row.fields[i].empty();
        }
        if (blank) return true;
        if (!columns_) return header(row);
        if (++rows_ > rows_max) {
            problems_.error(row.line, "more than 1,000,000 rows: split the migration");
            return false;
        }
        data(row, trimmed);
        return true;
    }

    void fail(std::string message) { problems_.error(0, std::move(message)); }

    MappingResult finish() && {
        if (!columns_ && !given_up_) {
            problems_.error(1, "no header row: the first line names the columns source,target");
        } else if (columns_ && rows_ == 0) {
            problems_.error(1, "no rows: nothing would be copied");
        }
        return {std::move(pairs_), problems_.take()};
    }

    void give_up() { given_up_ = true; }

private:
    bool header(CsvRow const& row) {
        std::vector<Column> columns;
        bool sound = true;
        auto const complain = [&](std::string message) {
            problems_.error(row.line, std::move(message));
            sound = false;
        };
        for (auto const& cell : row.fields) {
            auto const* const known =
                std::find(column_names.begin(), column_names.end(), fold_case(cell));
            if (known == column_names.end()) {
                complain(unknown_column(cell));
                continue;
            }
            auto const column = static_cast<Column>(known - column_names.begin());
            if (std::find(columns.begin(), columns.end(), column) != columns.end())
                complain("column " + shown(cell) + " is there twice");
            columns.push_back(column);
        }
        for (auto const needed : {source, target}) {
            if (std::find(columns.begin(), columns.end(), needed) == columns.end())
                complain("column " + shown(column_names[needed]) + " is missing");
        }
        if (sound) columns_ = std::move(columns);
        given_up_ = !sound;
        return sound;
    }

    static std::string unknown_column(std::string_view cell) {
        if (cell.empty()) return "a column of the header row has no name";
        auto message = "unknown column " + shown(cell);
        if (auto const meant = nearest_name(cell, column_names))
            return message + "; did you mean " + shown(*meant) + "?";
        return message + "; columns are " + quoted_list(column_names);
    }

    void data(CsvRow& row, std::array<bool, column_names.size()> const& trimmed) {
        if (row.fields.size() != columns_->size())
            return problems_.error(row.line, std::to_string(row.fields.size()) +
                                                 " cells where the header row has " +
                                                 std::to_string(columns_->size()));
        MailboxPair pair;
        pair.line = row.line;
        bool sound = true;
        for (std::size_t i = 0; i < row.fields.size(); ++i) {
            auto const column = (*columns_)[i];
            if (trimmed[i])
                problems_.warn(row.line, "blanks around the " + std::string(column_names[column]) +
                                             " " + shown(row.fields[i]) + " are left out");
            sound = put(pair, column, std::move(row.fields[i])) && sound;
        }
        if (sound) pairs_.push_back(std::move(pair));
    }

    bool put(MailboxPair& pair, Column column, std::string cell) {
        switch (column) {
        case source: return put_address(pair, column, pair.source = std::move(cell));
        case target: return put_address(pair, column, pair.target = std::move(cell));
        case wave: pair.wave = std::move(cell); return true;
        case source_password_file: return put_file(pair, pair.source_password_file, cell);
        case target_password_file: return put_file(pair, pair.target_password_file, cell);
        }
        return false;
    }

    bool put_address(MailboxPair const& pair, Column column, std::string const& cell) {
        auto const name = std::string(column_names[column]);
        if (cell.empty()) {
            problems_.error(pair.line, "the " + name + " is empty");
            return false;
        }
        auto const fault = address_fault(cell);
        if (fault) problems_.error(pair.line, name + ' ' + shown(cell) + ' ' + *fault);
        return !fault;
    }

    bool put_file(MailboxPair const& pair, std::filesystem::path& out, std::string const& cell) {
        if (cell.empty()) return true;
        if (cell.find('\0') != cell.npos) {
            problems_.error(pair.line, "a password file's name has a NUL character");
            return false;
        }
        out = (folder_ / cell).lexically_normal();
        return true;
    }

    std::filesystem::path const folder_;
    ProblemList problems_;
    std::vector<MailboxPair> pairs_;
    std::optional<std::vector<Column>> columns_;  ///< Known once the header row was sound.
    bool given_up_ = false;
    std::size_t rows_ = 0;
};

/// Moves `rows` into the builder; false when it gave up.
bool hand_over(std::vector<CsvRow>& rows, MappingBuilder& builder) {
    for (auto& row : rows)
        if (!builder.row(std::move(row))) return false;
    rows.clear();
    return true;
}

}  // namespace

MappingResult parse_mapping(std::string_view bytes, std::filesystem::path const& file) {
    MappingBuilder builder(file);
    CsvReader reader;
    std::vector<CsvRow> rows;
    reader.feed(bytes, rows);
    reader.finish(rows);
    hand_over(rows, builder);
    return std::move(builder).finish();
}

MappingResult load_mapping(std::filesystem::path const& file) {
    MappingBuilder builder(file);
    auto const unreadable = [&](int error_number) {
        builder.fail("can't be read: " + std::generic_category().message(error_number));
        builder.give_up();
        return std::move(builder).finish();
    };
    auto const descriptor = ::open(file.c_str(), O_RDONLY | O_CLOEXEC);
    if (descriptor < 0) return unreadable(errno);
    CsvReader reader;
    std::vector<CsvRow> rows;
    std::string chunk(64 * 1024, '\0');
    bool going_on = true;
    while (going_on) {
        auto const count = ::read(descriptor, chunk.data(), chunk.size());
        if (count < 0 && errno == EINTR) continue;
        if (count < 0) {
            auto const error_number = errno;
            ::close(descriptor);
            return unreadable(error_number);
        }
        if (count == 0) {
            reader.finish(rows);
            going_on = false;
        } else {
            reader.feed(std::string_view(chunk).substr(0, static_cast<std::size_t>(count)), rows);
        }
        going_on = hand_over(rows, builder) && going_on;
    }
    ::close(descriptor);
    return std::move(builder).finish();
}

}  // namespace mailferry::config
