using Hadal.Cli.Drawing;

namespace Hadal.Cli.Tests.Drawing;

public class FiguresTests
{
    [Theory]
    [InlineData(0, "0")]
    [InlineData(7, "7")]
    [InlineData(999, "999")]
    [InlineData(1000, "1.0K")]
    [InlineData(12_345, "12.3K")]
    [InlineData(999_949, "999.9K")]
    [InlineData(999_950, "1.0M")]
    [InlineData(4_212_992, "4.2M")]
    [InlineData(671_026_419_200, "671.0B")]
    [InlineData(14.8e12, "14.8T")]
    [InlineData(5.25, "5.3")]
    [InlineData(999.7, "1.0K")]
    [InlineData(-12_345, "-12.3K")]
    [InlineData(double.NaN, "–")]
    [InlineData(double.PositiveInfinity, "–")]
    public void Counts_have_one_digit_and_a_suffix(double count, string expected) => Assert.Equal(expected, Figures.Count(count));

    [Theory]
    [InlineData(0, "0")]
    [InlineData(671_026_419_200, "671,026,419,200")]
    [InlineData(-1234, "-1,234")]
    public void Whole_numbers_have_commas(long count, string expected) => Assert.Equal(expected, Figures.Whole(count));

    [Theory]
    [InlineData(0, "0 B")]
    [InlineData(812, "812 B")]
    [InlineData(999.6, "1.0 kB")]
    [InlineData(1_234_567_890, "1.2 GB")]
    [InlineData(999_950, "1.0 MB")]
    [InlineData(9.2e18, "9.2 EB")]
    [InlineData(double.NaN, "–")]
    public void Bytes_are_decimal(double bytes, string expected) => Assert.Equal(expected, Figures.Bytes(bytes));

    [Theory]
    [InlineData(0.25, "0.3")]
    [InlineData(9.9, "9.9")]
    [InlineData(9.97, "10")]
    [InlineData(1139.6, "1,140")]
    [InlineData(9999.4, "9,999")]
    [InlineData(9999.6, "10.0K")]
    [InlineData(20_812, "20.8K")]
    [InlineData(double.NaN, "–")]
    public void Rates_keep_their_digits_below_ten_thousand(double rate, string expected)
    {
        Assert.Equal(expected, Figures.Rate(rate));
        Assert.Equal(expected + " tokens/s", Figures.Rate(rate, "tokens"));
    }

    [Theory]
    [InlineData(0.8421, "84.2%")]
    [InlineData(1, "100.0%")]
    [InlineData(double.NaN, "–")]
    public void Shares_are_percentages(double share, string expected) => Assert.Equal(expected, Figures.Percent(share));

    [Theory]
    [InlineData(0, "0")]
    [InlineData(4.2e-4, "4.2e-4")]
    [InlineData(2e-3, "2e-3")]
    [InlineData(0.0123, "0.0123")]
    [InlineData(0.8312, "0.831")]
    [InlineData(0.99962, "1")]
    [InlineData(3.14159, "3.14")]
    [InlineData(12.34, "12.3")]
    [InlineData(99.97, "100")]
    [InlineData(54_321, "54321")]
    [InlineData(1.5e7, "1.5e7")]
    [InlineData(-0.5, "-0.5")]
    [InlineData(double.NegativeInfinity, "–")]
    public void Numbers_have_three_digits_that_count(double value, string expected) => Assert.Equal(expected, Figures.Number(value));

    [Theory]
    [InlineData(-1, "0.0 s")]
    [InlineData(0.42, "0.4 s")]
    [InlineData(9.97, "10 s")]
    [InlineData(59.4, "59 s")]
    [InlineData(59.6, "1 min 00 s")]
    [InlineData(178, "2 min 58 s")]
    [InlineData(3599.7, "1 h 00 min")]
    [InlineData(3720, "1 h 02 min")]
    [InlineData(86_399, "1 d 00 h")]
    [InlineData(273_600, "3 d 04 h")]
    public void Durations_have_two_units(double seconds, string expected) => Assert.Equal(expected, Figures.Duration(TimeSpan.FromSeconds(seconds)));

    [Theory]
    [InlineData(-5, "0:00")]
    [InlineData(7.9, "0:07")]
    [InlineData(754, "12:34")]
    [InlineData(3723, "1:02:03")]
    [InlineData(266_400, "74:00:00")]
    public void Clocks_count_minutes_and_seconds(double seconds, string expected) => Assert.Equal(expected, Figures.Clock(TimeSpan.FromSeconds(seconds)));
}
