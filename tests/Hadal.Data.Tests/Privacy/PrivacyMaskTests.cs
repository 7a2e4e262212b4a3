using CsCheck;
using Hadal.Data.Privacy;

namespace Hadal.Data.Tests.Privacy;

public class PrivacyMaskTests
{
    // What the patterns are made of, in pieces large enough to come together by chance.
    private static readonly string[] _pieces =
    [
        "a@b.com", "joe", "@", ".", "example.org", "1.2.3.4", "81.2.69.142", "+49 30 1234567", "+", " ", "-", "555-123-4567", "(555)", "0", "12", "2001:4860:4860::8888", ":", "::", "AKIA", "IOSFODNN7EXAMPLE", "eyJ",
        "DE89 3704 0044 0532 0130 00", "4111 1111 1111 1111", "-----BEGIN PRIVATE KEY-----", "-----END PRIVATE KEY-----", "ghp_", "0123456789abcdefghijABCDEFGHIJ012345", "tel ", "\n", "é", "漢", "\uD83D",
    ];

    [Theory]
    [InlineData("write to jane.doe+news@mail.example.co.uk.", "write to <EMAIL>.")]
    [InlineData("<a href=\"mailto:a_b@c-d.org\">", "<a href=\"mailto:<EMAIL>\">")]
    [InlineData("お問い合わせはtaro@example.jpまで", "お問い合わせは<EMAIL>まで")]
    [InlineData("a@163.com, b@qq.com;c@x.io", "<EMAIL>, <EMAIL>;<EMAIL>")]
    public void Mail_addresses_are_masked(string text, string expected) => Assert.Equal(expected, Mask(text));

    [Theory]
    [InlineData("@app.route('/') def f(a, b): return a @ b.T")]
    [InlineData("q@k.transpose(1, 2), W@x.mean()")]
    [InlineData("icon@2x.png, npm i react@18.2.0 @types/node@20, user@host, git@github.com:a/b.git")]
    [InlineData("sd_IN@devanagari.UTF-8")]
    [InlineData("@ @@ a@ @b a@.b a.@b.com a@b..c")]
    public void Other_at_signs_stay(string text) => AssertSame(text);

    [Theory]
    [InlineData("server 81.2.69.142, 104.228.208.220", "server <IP>, <IP>")]
    [InlineData("http://93.184.216.34:8080/x 8.8.4.40/24.", "http://<IP>:8080/x <IP>/24.")]
    [InlineData("[2606:2800:220:1:248:1893:25c8:1946]:443 2a00:1450:4001:81b::200e", "[<IP>]:443 <IP>")]
    public void Addresses_of_the_internet_are_masked(string text, string expected) => Assert.Equal(expected, Mask(text));

    [Theory]
    [InlineData("version 12.34.56.78, v2.31.0.12, Version=4.20.0.10, Chrome/120.0.99.109, pkg==1.20.3.14")]
    [InlineData("127.0.0.1 10.0.0.12 192.168.1.1 172.20.3.4 0.0.0.0 255.255.255.0 169.254.1.1 203.0.113.7")]
    [InlineData("1.2.3.4 and 1.3.6.1.4.1.311 and 300.1.2.3 and 01.02.03.04 and 11.22.33.44.55")]
    [InlineData("12:30:45 00:1A:2B:3C:4D:5E std::vector a::b dead::beef ::1 fe80::1:2:3 2001:db8:1::2 10:20:30:40")]
    public void Versions_private_addresses_and_times_stay(string text) => AssertSame(text);

    [Fact]
    public void Private_addresses_are_masked_on_request()
    {
        PrivacyOptions options = new() { PrivateIpAddresses = true };
        Assert.Equal("<IP> <IP> <IP>", PrivacyMask.Mask("127.0.0.1 192.168.1.20 fe80::1:2:3", options).Text);
    }

    [Theory]
    [InlineData("+1 (415) 555-2671")]
    [InlineData("+4930123456789")]
    [InlineData("+44 (0)20 7946 0958")]
    [InlineData("+81-3-1234-5678")]
    [InlineData("0049 89 1234567")]
    [InlineData("(415) 555-2671")]
    [InlineData("415-555-2671")]
    [InlineData("1-800-555-0199")]
    [InlineData("020 7946 0958")]
    [InlineData("01 42 68 53 00")]
    [InlineData("030/1234567")]
    [InlineData("03-1234-5678")]
    [InlineData("090-1234-5678")]
    [InlineData("010-12345678")]
    [InlineData("138-1234-5678")]
    public void Phone_numbers_are_masked(string number) => Assert.Equal("reach us: <PHONE>, ok", Mask($"reach us: {number}, ok"));

    [Theory]
    [InlineData("Tel. 91 123 45 67", "Tel. <PHONE>")]
    [InlineData("手机13812345678。", "手机<PHONE>。")]
    [InlineData("Phone: 555 0123 44 in 2024", "Phone: <PHONE> in 2024")]
    public void A_word_for_phone_makes_digits_a_number(string text, string expected) => Assert.Equal(expected, Mask(text));

    [Theory]
    [InlineData("2024-01-02, 02.01.2024, 2024/01/02 10:20:30, 1700000000, 13812345678")]
    [InlineData("ISBN 978-3-16-148410-0, 0-306-40615-2, ISSN 2049-3630, 978 0 306 40615 7")]
    [InlineData("0x12345678, 1234567890L, 3.14159265358979, 1,234,567,890, -1234567890, $1000000 x_5551234567")]
    [InlineData("<<555-123-4000=432>> and 900-300-2000*2 and 5551234567")]
    [InlineData("f8 c1 5e 06 97 69 02 50 a9 1a f8\n01 02 03 04 05 06 07 08 09 10 11 12")]
    [InlineData("call it in 1999 and 2000 phone 12")]
    public void Other_numbers_stay(string text) => AssertSame(text);

    [Theory]
    [InlineData("key = \"AKIAIOSFODNN7EXAMPLE\"", "key = \"<KEY>\"")]
    [InlineData("ghp_0123456789abcdefghijABCDEFGHIJ012345", "<KEY>")]
    [InlineData("xoxb-123456789012-abcdefghijkl, sk-proj-a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6", "<KEY>, <KEY>")]
    [InlineData("Bearer eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N_XgL0", "Bearer <KEY>")]
    [InlineData("a\n-----BEGIN RSA PRIVATE KEY-----\nMIIE\nabc=\n-----END RSA PRIVATE KEY-----\nb", "a\n<KEY>\nb")]
    [InlineData("a\n-----BEGIN PRIVATE KEY-----\nMIIEabc\n", "a\n<KEY>")]
    public void Secret_keys_are_masked(string text, string expected) => Assert.Equal(expected, Mask(text));

    [Theory]
    [InlineData("-----BEGIN CERTIFICATE-----\nMIIE\n-----END CERTIFICATE-----")]
    [InlineData("sk-learn, sk-loading-indicator-with-a-very-long-name-in-css, risk-taking, AKIA, XAKIAIOSFODNN7EXAMPLE, ghp_short, eyJhbGciOiJIUzI1NiJ9")]
    public void Names_that_start_like_keys_stay(string text) => AssertSame(text);

    [Fact]
    public void Account_and_card_numbers_need_right_check_digits()
    {
        PrivacyOptions options = new() { CardNumbers = true };
        Assert.Equal("<ACCOUNT>, <ACCOUNT>; <CARD> <CARD>", PrivacyMask.Mask("DE89370400440532013000, GB82 WEST 1234 5698 7654 32; 4111 1111 1111 1111 5500005555555559", options).Text);
        const string wrong = "DE88370400440532013000, 4111 1111 1111 1112, XDE89370400440532013000";
        Assert.Equal(wrong, PrivacyMask.Mask(wrong, options).Text);
        AssertSame("4111 1111 1111 1111");
    }

    [Fact]
    public void Finds_are_counted_by_kind_and_tokens_are_free()
    {
        PrivacyOptions options = new() { EmailToken = "[mail]", IpToken = "" };
        MaskedText masked = PrivacyMask.Mask("a@b.org 81.2.69.142 c@d.org +49 30 1234567", options);
        Assert.Equal("[mail]  [mail] <PHONE>", masked.Text);
        Assert.Equal(new PrivacyCounts(2, 1, 1, 0, 0, 0), masked.Counts);
        Assert.Equal(4, masked.Counts.Total);
    }

    [Fact]
    public void A_kind_that_is_off_stays()
    {
        const string text = "a@b.org 81.2.69.142 2a00:1450:4001:81b::200e +49 30 1234567 AKIAIOSFODNN7EXAMPLE DE89370400440532013000";
        PrivacyOptions options = new() { Emails = false, IpAddresses = false, PhoneNumbers = false, Keys = false, AccountNumbers = false };
        Assert.Same(text, PrivacyMask.Mask(text, options).Text);
    }

    [Theory]
    [InlineData("<MAIL1>")]
    [InlineData("a@b.org")]
    public void Tokens_that_could_be_masked_in_turn_are_refused(string token)
    {
        Assert.Contains("token", new PrivacyOptions { EmailToken = token }.Problem(), StringComparison.Ordinal);
        Assert.Null(PrivacyOptions.Default.Problem());
    }

    [Fact]
    public void Masking_twice_is_masking_once() => Gen.Int[0, _pieces.Length - 1].Select(static i => _pieces[i]).Array[0, 14].Sample(static pieces =>
    {
        PrivacyOptions options = new() { CardNumbers = true, PrivateIpAddresses = true };
        string once = PrivacyMask.Mask(string.Concat(pieces), options).Text;
        Assert.Same(once, PrivacyMask.Mask(once, options).Text);
    }, iter: 20000, seed: "0000000000001", threads: 1);

    [Theory]
    [InlineData("+49 30 1234567; 20230145; 20230146; 20230147", "<PHONE>; 20230145; 20230146; 20230147")]
    [InlineData("order <PHONE> 20230145", "order <PHONE> 20230145")]
    public void A_token_for_a_phone_number_is_no_word_for_phone(string text, string expected) => Assert.Equal(expected, Mask(text));

    [Theory]
    [InlineData("415-555-2671:")]
    [InlineData("+49 30 1234567; ")]
    [InlineData("+49 30 1234567; 20230145; 20230146; 20230147; 20230148; ")]
    [InlineData("tel 20230145, ")]
    public void Long_chains_of_numbers_are_masked_once(string piece)
    {
        string once = Mask(string.Concat(Enumerable.Repeat(piece, 40)));
        Assert.Same(once, Mask(once));
    }

    [Theory]
    [InlineData("1")]
    [InlineData("1.")]
    [InlineData("12 ")]
    [InlineData("@")]
    [InlineData("a@b.")]
    [InlineData("a.")]
    [InlineData(":")]
    [InlineData("2001:")]
    [InlineData("+1 ")]
    [InlineData("(")]
    [InlineData("-----BEGIN ")]
    [InlineData("-----BEGIN RSA ")]
    [InlineData("eyJaaaaaaaaaaa. ")]
    [InlineData("sk-")]
    [InlineData("\uD83D")]
    public void Long_runs_of_anything_take_time_by_their_length(string piece)
    {
        // A scan that were quadratic would not end within the time of a test run: 10^12 steps.
        string text = string.Concat(Enumerable.Repeat(piece, 1_000_000 / piece.Length));
        AssertSame(text);
    }

    private static string Mask(string text) => PrivacyMask.Mask(text, PrivacyOptions.Default).Text;

    private static void AssertSame(string text) => Assert.Same(text, PrivacyMask.Mask(text, PrivacyOptions.Default).Text);
}
