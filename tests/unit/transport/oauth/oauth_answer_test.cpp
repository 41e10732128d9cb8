#include "transport/auth/oauth_answer.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace mailferry::oauth {
namespace {

using testing::HasSubstr;

/// "token/life" or the error's code, in every slicing the same.
std::string grant_of(std::string_view json) {
    std::string first;
    for (std::size_t slice = json.size(); slice > 0; --slice) {
        GrantReader reader;
        http::JsonStream stream(reader);
        Result<void> parsed;
        for (auto rest = json; parsed && !rest.empty();
             rest.remove_prefix(std::min(slice, rest.size())))
            parsed = stream.write(rest.substr(0, slice));
        if (parsed) parsed = stream.finish();
        std::string text;
        if (!parsed) {
            text = to_string(parsed.error().code);
        } else if (auto grant = reader.take()) {
            text = std::string(grant->token.reveal()) + "/" + std::to_string(grant->life.count());
        } else {
            text = to_string(grant.error().code);
        }
        if (first.empty()) first = text;
        EXPECT_EQ(text, first) << json << " slice=" << slice;
    }
    return first;
}

TEST(OauthAnswerTest, AGrant) {
    EXPECT_EQ(grant_of(R"({"token_type":"Bearer","expires_in":3599,"ext_expires_in":9,)"
                       R"("access_token":"eyJ0.x.y"})"),
              "eyJ0.x.y/3599");
    EXPECT_EQ(grant_of(R"({"access_token":"a\/b","expires_in":"30","token_type":"bearer"})"),
              "a/b/30");
}

TEST(OauthAnswerTest, HalfAGrantIsNone) {
    for (auto const* const json :
         {R"({"token_type":"Bearer","expires_in":3599})",
          R"({"token_type":"Bearer","access_token":"x"})",
          R"({"expires_in":3599,"access_token":"x"})",
          R"({"token_type":"mac","expires_in":3599,"access_token":"x"})",
          R"({"token_type":"Bearer","expires_in":0,"access_token":"x"})",
          R"({"token_type":"Bearer","expires_in":9,"access_token":""})",
          R"({"token_type":"Bearer","expires_in":9,"access_token":"a\r\nb"})",
          R"({"token_type":"Bearer","expires_in":9,"access_token":"a","access_token":"b"})"})
        EXPECT_EQ(grant_of(json), "protocol_error") << json;
}

RefusalReader refusal_of(std::string_view json) {
    RefusalReader reader;
    http::JsonStream stream(reader);
    EXPECT_TRUE(stream.write(json));
    EXPECT_TRUE(stream.finish());
    return reader;
}

struct CodeCase {
    std::int64_t code;
    Errc errc;
    std::string_view cure;
};

constexpr CodeCase code_cases[] = {
    {7'000'215, Errc::login_refused, "secret is wrong"},
    {7'000'222, Errc::login_refused, "secret has expired"},
    {700'027, Errc::login_refused, "certificate"},
    {700'024, Errc::login_refused, "clock"},
    {700'016, Errc::invalid_config, "client_id and tenant_id"},
    {90'002, Errc::invalid_config, "no such tenant"},
    {70'011, Errc::invalid_config, ".default"},
    {1'002'012, Errc::invalid_config, ".default"},
    {500'011, Errc::invalid_config, "isn't enabled"},
    {50'034, Errc::login_refused, "user"},
    {53'003, Errc::login_refused, "conditional-access"},
    {90'033, Errc::unavailable, "busy"},
    {50'196, Errc::throttled, "too many"},
};

TEST(OauthAnswerTest, KnownCodesNameTheirCure) {
    for (auto const& c : code_cases) {
        auto const number = std::to_string(c.code);
        for (auto const& json :
             {R"({"error":"e","error_codes":[1,)" + number + "]}",
              R"({"error":"e","error_description":"AADSTS)" + number + R"(: text"})"}) {
            auto const reader = refusal_of(json);
            auto const error = reader.error(401);
            EXPECT_EQ(error.code, c.errc) << number;
            EXPECT_THAT(error.context, HasSubstr(std::string(c.cure))) << number;
            EXPECT_EQ(reader.blames_clock(), c.code == 700'024) << number;
        }
    }
}

TEST(OauthAnswerTest, WithoutAKnownCodeTheStatusDecides) {
    RefusalReader const silent;
    EXPECT_EQ(silent.error(400).code, Errc::login_refused);
    EXPECT_EQ(silent.error(401).code, Errc::login_refused);
    EXPECT_EQ(silent.error(404).code, Errc::invalid_config);
    EXPECT_EQ(silent.error(429).code, Errc::throttled);
    EXPECT_EQ(silent.error(500).code, Errc::unavailable);
    EXPECT_EQ(silent.error(503).code, Errc::unavailable);
}

TEST(OauthAnswerTest, TheServicesWordsStayApart) {
    auto const error =
        refusal_of(R"({"error":"invalid_client","error_description":"AADSTS7000215: Invalid",)"
                   R"("error_codes":[7000215],"trace_id":"t1","correlation_id":"c1"})")
            .error(401);
    EXPECT_EQ(error.server_text,
              "invalid_client: AADSTS7000215: Invalid trace_id=t1 correlation_id=c1");
}

}  // namespace
}  // namespace mailferry::oauth
