/// Checks that every template of pages must pass: nothing unescaped, every attribute quoted, whatever the values are.
#pragma once

#include <algorithm>
#include <regex>
#include <set>
#include <string>

#include "adapters/web/template.h"
#include "tests/support/catch.h"

namespace flagpost::test {

/// Values for every name the tags use, in one scope: each text is `text`, but that of `empty`; each section is `truth`.
inline void fill(web::View& view, const std::vector<web::Tag>& tags, const std::string& text,
                 const std::string& empty, bool truth) {
    for (const auto& tag : tags) {
        if (tag.kind == web::Tag::Kind::variable)
            view.text(tag.name, tag.name == empty ? "" : text);
        else
            view.flag(tag.name, truth);
        fill(view, tag.inside, text, empty, truth);
    }
}
inline web::View filled(const std::vector<web::Tag>& tags, const std::string& text, const std::string& empty,
                        bool truth) {
    web::View view;
    fill(view, tags, text, empty, truth);
    return view;
}

inline void collect_names(const std::vector<web::Tag>& tags, std::set<std::string>& names) {
    for (const auto& tag : tags) {
        names.insert(tag.name);
        collect_names(tag.inside, names);
    }
}

inline void check_templates(const web::Templates& templates) {
    const std::string hostile = "<script>'\"&</script>\" onclick=\"x";
    for (const auto& name : templates.names()) {
        if (name == "top" || name == "bottom") continue;
        CAPTURE(name);
        const std::string text = templates.text_of(name);
        CHECK(text.find("{{{") == std::string::npos);
        CHECK(text.find("{{&") == std::string::npos);
        CHECK(text.find("style=") == std::string::npos);
        CHECK(text.find("<script") == std::string::npos);
        CHECK_FALSE(std::regex_search(text, std::regex{"=\\{\\{"}));  // an attribute without quotes
        CHECK_FALSE(std::regex_search(text, std::regex{"='"}));
        const auto tags = web::tags_of(text);
        for (const bool truth : {true, false}) {
            const std::string page = templates.render(name, filled(tags, hostile, "", truth));
            CHECK(page.find("<script") == std::string::npos);
            CHECK(page.find("\" onclick") == std::string::npos);
            CHECK(page.find("{{") == std::string::npos);
        }
        std::set<std::string> names;
        collect_names(tags, names);
        for (const auto& empty : names) {
            CAPTURE(empty);
            CHECK_NOTHROW(templates.render(name, filled(tags, "value", empty, true)));
        }
    }
}

}  // namespace flagpost::test
