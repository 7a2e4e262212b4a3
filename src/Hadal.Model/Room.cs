namespace Hadal.Model;

internal static class Room;
