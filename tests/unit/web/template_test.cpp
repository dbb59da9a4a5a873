#include "adapters/web/template.h"

#include "adapters/web/assets.h"
#include "tests/support/templates.h"
#include "web_templates.h"

using namespace flagpost;
using namespace flagpost::web;

TEST_CASE("every template escapes what it is given, quotes its attributes and bears empty values", "[web]") {
    Templates templates;
    templates.add_all(frame_templates);
    test::check_templates(templates);
}

TEST_CASE("a name that is missing from its own scope is an error, never the name of an outer one", "[web]") {
    Templates templates;
    templates.add("child", "{{#children}}{{name}} {{address}}{{/children}}");
    const View without =
        View{}.text("address", "the incident's").list("children", {View{}.text("name", "Ava")});
    CHECK_THROWS_AS(templates.render("child", without), std::logic_error);
    const View with = View{}
                          .text("address", "the incident's")
                          .list("children", {View{}.text("name", "Ava").text("address", "")});
    CHECK(templates.render("child", with) == "Ava ");
}

TEST_CASE("a template that would not escape, or does not end, is an error", "[web]") {
    for (const auto* text :
         {"{{{a}}}", "{{&a}}", "{{#a}}", "{{#a}}{{/b}}", "{{a", "{{> nobody}}", "{{> itself}}"}) {
        CAPTURE(text);
        Templates templates;
        templates.add("page", text);
        templates.add("itself", "{{> itself}}");
        CHECK_THROWS_AS(templates.render("page", View{}.text("a", "x")), std::logic_error);
    }
}

TEST_CASE("the stylesheet loads nothing and carries nobody's brand; assets are named by their content",
          "[web]") {
    CHECK(stylesheet_text.find("GDS Transport") == std::string_view::npos);
    CHECK(stylesheet_text.find("url(") == std::string_view::npos);
    CHECK(stylesheet_text.find("@import") == std::string_view::npos);
    CHECK(find_asset(stylesheet().path)->content == stylesheet_text);
    CHECK(find_asset(icon().path)->type == "image/svg+xml");
    CHECK_FALSE(find_asset("/assets/flagpost.css"));
    for (const auto& each : frame_templates)
        for (const auto* brand : {"GOV.UK", "crown", "crest", "licence"})
            CHECK(each.text.find(brand) == std::string_view::npos);
}
