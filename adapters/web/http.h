/// A request and its answer as values, so that pages need no socket.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace flagpost::web {

/// Header names without regard to case.
struct LessWithoutCase {
    bool operator()(const std::string& a, const std::string& b) const;
};

using Fields = std::multimap<std::string, std::string>;

inline constexpr std::size_t fields_max = 64;      // of one form or query
inline constexpr std::size_t path_size_max = 256;  // bytes
inline constexpr std::size_t form_size_max =
    64 * 1024;  // bytes; where it is not multipart, the library takes 8 KiB
inline constexpr std::size_t upload_size_max = 17u << 20;  // bytes: a form with files
inline constexpr std::size_t upload_parts_max = 8;         // fields and files of such a form

/// A file that came with a form.
struct Upload {
    std::string name;  // as the browser says
    std::string bytes;
};

struct Request {
    std::string method;
    std::string path;
    Fields query, form;
    std::map<std::string, Upload> files;  // by the field's name
    std::multimap<std::string, std::string, LessWithoutCase> headers;

    /// The first of this name, or "".
    std::string header(const std::string& name) const;
    std::string cookie(const std::string& name) const;
    std::string field(const std::string& name) const;      // of the form
    std::string parameter(const std::string& name) const;  // of the query
};

struct Response {
    int status = 200;
    std::string type = "text/html; charset=utf-8";
    std::string body;
    std::vector<std::pair<std::string, std::string>> headers;

    /// Nothing if it is not there.
    std::optional<std::string> header(std::string_view name) const;
};

/// "a=1&b=two+words" as fields; nothing if there are more than fields_max.
std::optional<Fields> parse_fields(std::string_view text);

/// Percent-encoded for a query.
std::string encoded(std::string_view text);

Response redirect(const std::string& to);  // 303: the browser follows with GET

/// Adds what every answer carries (pages, section 3); pages are never kept by a browser or on the way.
void harden(Response& response);

}  // namespace flagpost::web
