#pragma once

/// SQLite behind values: one connection and its prepared statements. With ledger_statements.cpp the
/// only place that knows sqlite3.h. Not thread-safe: one thread at a time owns a Database.

#include "config/base/error.hpp"

#include <concepts>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <unordered_map>

struct sqlite3;
struct sqlite3_stmt;

namespace mailferry::store {

class Database;

/// A value to be bound as a blob; text goes as std::string_view.
struct Blob {
    std::string_view bytes;
};

/// One use of a prepared statement, its values bound; reset when it goes. Errors of preparing and
/// binding come out of the first step().
class Statement {
public:
    Statement(Database& database, sqlite3_stmt* statement, int error)
        : database_(&database), statement_(statement), error_(error) {}
    Statement(Statement&& other) noexcept;
    Statement& operator=(Statement&&) = delete;
    Statement(Statement const&) = delete;
    ~Statement();

    /// True: a row stands ready. False: the end.
    Result<bool> step();
    /// To the end, rows ignored.
    Result<void> run();

    bool is_null(int column) const;
    std::int64_t integer(int column) const;
    std::uint64_t count(int column) const { return static_cast<std::uint64_t>(integer(column)); }
    std::optional<std::int64_t> optional_integer(int column) const;
    std::string text(int column) const;
    /// Valid until the next step().
    std::string_view blob(int column) const;

private:
    friend class Database;
    void bind(int place, std::int64_t value);
    /// SQLite's integers are signed and order by value: asserts that `value` fits.
    void bind(int place, std::uint64_t value);
    void bind(int place, std::string_view text);
    void bind(int place, Blob blob);
    void bind(int place, std::nullopt_t);
    template <class T>
    void bind(int place, std::optional<T> const& value) {
        if (value) bind(place, *value);
        else bind(place, std::nullopt);
    }
    void bind(int place, std::string const& text) { bind(place, std::string_view(text)); }
    void bind(int place, char const* text) { bind(place, std::string_view(text)); }
    void bind(int place, std::signed_integral auto value) {
        bind(place, static_cast<std::int64_t>(value));
    }
    void bind(int place, std::unsigned_integral auto value) {
        bind(place, static_cast<std::uint64_t>(value));
    }
    template <class T>
        requires std::is_enum_v<T>
    void bind(int place, T value) {
        bind(place, static_cast<std::underlying_type_t<T>>(value));
    }

    Database* database_;
    sqlite3_stmt* statement_;
    int error_;
};

class Database {
public:
    /// Opens or makes the file (mode 0600), takes the exclusive lock, sets every pragma. Nothing of
    /// the content is changed. `pages_max` 0: no limit.
    static Result<Database> open(std::filesystem::path const& file, std::uint64_t pages_max);
    /// For reading only, without a lock and as if there were no write-ahead log: right while nobody
    /// has the file open and its log is empty.
    static Result<Database> open_unchanged(std::filesystem::path const& file);

    Database(Database&&) noexcept;
    Database& operator=(Database&&) = delete;
    ~Database();

    /// `sql` is a literal: the prepared statement is kept under its address. A statement must not
    /// be used while an earlier use of it lives.
    template <class... Values>
    Statement query(char const* sql, Values const&... values) {
        auto statement = prepare(sql);
        int place = 0;
        (statement.bind(++place, values), ...);
        return statement;
    }

    /// Several statements, nothing bound: schema, pragmas, transactions.
    Result<void> execute(char const* sql);

    /// False after SQLite has rolled the transaction back by itself (disk full, I/O error).
    bool in_transaction() const;
    /// Rows changed by the last insert, update or delete.
    std::uint64_t changes() const;
    std::filesystem::path const& file() const { return file_; }

    /// Copies the write-ahead log into the file and closes it. Nothing may be called afterwards.
    Result<void> close();

private:
    friend class Statement;
    struct Finalize {
        void operator()(sqlite3_stmt* statement) const;
    };

    Database(std::filesystem::path file, sqlite3* handle)
        : file_(std::move(file)), handle_(handle) {}
    Statement prepare(char const* sql);
    Result<void> configure(std::uint64_t pages_max);
    /// Says what SQLite's code means for us, and the cure.
    Error failure(int code) const;

    std::filesystem::path file_;
    sqlite3* handle_ = nullptr;
    std::unordered_map<char const*, std::unique_ptr<sqlite3_stmt, Finalize>> statements_;
};

}  // namespace mailferry::store
