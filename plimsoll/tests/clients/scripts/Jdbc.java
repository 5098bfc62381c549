// The JDBC driver: server-prepared statements after five uses, batches, fetch size, COPY, notifications, cancel.
// Prints what it sees.

import java.io.StringReader;
import java.io.StringWriter;
import java.net.URI;
import java.sql.*;
import java.util.*;
import org.postgresql.PGConnection;
import org.postgresql.PGNotification;
import org.postgresql.copy.CopyManager;

public class Jdbc {
    interface Work { Object run() throws Exception; }

    static void told(Object... values) {
        System.out.println(String.join(" ", Arrays.stream(values).map(String::valueOf).toList()));
    }

    static void error(String what, Work work) throws Exception {
        try {
            told(what, "no error", work.run());
        } catch (SQLException reason) {
            told(what, reason.getSQLState(), reason.getMessage().split("\n")[0]);
        }
    }

    static Connection open(String parameters) throws Exception {
        URI url = URI.create(System.getenv("DATABASE_URL"));
        String[] user = url.getUserInfo().split(":");
        return DriverManager.getConnection("jdbc:postgresql://" + url.getHost() + ":" + url.getPort() + url.getPath() + parameters, user[0], user[1]);
    }

    static Object one(Connection connection, String sql) throws Exception {
        try (Statement statement = connection.createStatement(); ResultSet rows = statement.executeQuery(sql)) {
            rows.next();
            return rows.getObject(1);
        }
    }

    static void prepared(Connection connection) throws Exception {
        try (Statement statement = connection.createStatement()) {
            statement.execute("CREATE TABLE item (id serial PRIMARY KEY, name text, price numeric)");
        }
        try (PreparedStatement insert = connection.prepareStatement("INSERT INTO item (name, price) VALUES (?, ?)", Statement.RETURN_GENERATED_KEYS)) {
            for (int n = 0; n < 12; n++) {
                insert.setString(1, "item " + n);
                insert.setBigDecimal(2, new java.math.BigDecimal(n));
                insert.executeUpdate();
                ResultSet keys = insert.getGeneratedKeys();
                keys.next();
                told("key", keys.getInt(1));
            }
        }
        try (PreparedStatement select = connection.prepareStatement("SELECT name, price FROM item WHERE id = ?")) {
            for (int n = 1; n <= 12; n++) {
                select.setInt(1, n);
                ResultSet rows = select.executeQuery();
                rows.next();
                told("row", rows.getString(1), rows.getBigDecimal(2));
            }
        }
        for (int n = 0; n < 300; n++) {
            try (PreparedStatement select = connection.prepareStatement("SELECT " + n % 40 + " + ?")) {
                select.setInt(1, n);
                ResultSet rows = select.executeQuery();
                rows.next();
                if (rows.getInt(1) != n % 40 + n) told("wrong", n, rows.getInt(1));
            }
        }
        try (PreparedStatement insert = connection.prepareStatement("INSERT INTO item (name) VALUES (?)")) {
            for (int n = 0; n < 500; n++) {
                insert.setString(1, "batch " + n);
                insert.addBatch();
            }
            told("batch", Arrays.stream(insert.executeBatch()).sum());
        }
        error("batch error", () -> {
            try (PreparedStatement insert = connection.prepareStatement("INSERT INTO item (id) VALUES (?)")) {
                for (int n : new int[] {10001, 10002, 1, 10003}) {
                    insert.setInt(1, n);
                    insert.addBatch();
                }
                return insert.executeBatch();
            }
        });
        told("after", one(connection, "SELECT count(*) FROM item WHERE id > 10000"));
    }

    static void changed(Connection connection) throws Exception {
        try (Statement statement = connection.createStatement()) {
            statement.execute("CREATE TABLE shape (a int); INSERT INTO shape VALUES (1)");
            try (PreparedStatement select = connection.prepareStatement("SELECT * FROM shape")) {
                for (int n = 0; n < 8; n++) select.executeQuery().close();
                statement.execute("ALTER TABLE shape ADD COLUMN b int DEFAULT 5");
                error("changed", () -> select.executeQuery().getMetaData().getColumnCount());
                error("again", () -> select.executeQuery().getMetaData().getColumnCount());
                connection.setAutoCommit(false);
                for (int n = 0; n < 8; n++) select.executeQuery().close();
                statement.execute("ALTER TABLE shape ADD COLUMN c int");
                error("in a transaction", () -> select.executeQuery().getMetaData().getColumnCount());
                connection.rollback();
                connection.setAutoCommit(true);
            }
            statement.execute("DEALLOCATE ALL");
            told("deallocated", one(connection, "SELECT 1"));
        }
    }

    static void transactions(Connection connection) throws Exception {
        connection.setAutoCommit(false);
        connection.setTransactionIsolation(Connection.TRANSACTION_SERIALIZABLE);
        told("level", one(connection, "SHOW transaction_isolation"));
        connection.rollback();
        connection.setReadOnly(true);
        error("read only", () -> connection.createStatement().executeUpdate("DELETE FROM item"));
        connection.rollback();
        connection.setReadOnly(false);
        connection.setTransactionIsolation(Connection.TRANSACTION_READ_COMMITTED);
        Savepoint before = connection.setSavepoint("before");
        error("division", () -> one(connection, "SELECT 1/0"));
        error("aborted", () -> one(connection, "SELECT 1"));
        connection.rollback(before);
        connection.createStatement().executeUpdate("UPDATE item SET price = 5 WHERE id = 1");
        connection.commit();
        told("price", one(connection, "SELECT price FROM item WHERE id = 1"));
        connection.rollback();
        try (Statement statement = connection.createStatement()) {
            statement.setFetchSize(50);
            ResultSet rows = statement.executeQuery("SELECT generate_series(1, 1234)");
            long sum = 0;
            while (rows.next()) sum += rows.getLong(1);
            told("fetched", sum);
        }
        try (PreparedStatement statement = connection.prepareStatement("SELECT generate_series(1, ?)")) {
            for (int n = 0; n < 8; n++) {
                statement.setFetchSize(7);
                statement.setInt(1, 20);
                ResultSet rows = statement.executeQuery();
                for (int m = 0; m < 9; m++) rows.next();
                told("ninth", rows.getInt(1));
            }
        }
        connection.commit();
        connection.setAutoCommit(true);
    }

    static void copies(Connection connection) throws Exception {
        CopyManager copy = ((PGConnection) connection).getCopyAPI();
        connection.createStatement().execute("CREATE TABLE copied (n int, text text)");
        StringBuilder data = new StringBuilder();
        for (int n = 0; n < 20000; n++) data.append(n).append('\t').append("row ").append(n).append('\n');
        told("in", copy.copyIn("COPY copied FROM STDIN", new StringReader(data.toString())));
        StringWriter out = new StringWriter();
        told("out", copy.copyOut("COPY (SELECT * FROM copied ORDER BY n) TO STDOUT", out), out.toString().equals(data.toString()));
        error("wrong", () -> copy.copyIn("COPY copied FROM STDIN", new StringReader("x\ty\n".repeat(50000))));
        told("after", one(connection, "SELECT count(*) FROM copied"));
    }

    static void listening(Connection connection) throws Exception {
        Statement statement = connection.createStatement();
        statement.execute("LISTEN jdbc_news");
        try (Connection other = open("")) {
            other.createStatement().execute("NOTIFY jdbc_news, 'hello'");
        }
        PGNotification[] heard = ((PGConnection) connection).getNotifications(10000);
        for (PGNotification one : heard) told("heard", one.getName(), one.getParameter());
        statement.execute("NOTIFY jdbc_news, 'own'");
        for (PGNotification one : ((PGConnection) connection).getNotifications()) told("own", one.getName(), one.getParameter());
        statement.execute("UNLISTEN *");
        statement.execute("DO $$ BEGIN RAISE WARNING 'hear me'; END $$");
        told("warning", statement.getWarnings().getMessage());
    }

    static void cancelled(Connection connection) throws Exception {
        Statement sleeping = connection.createStatement();
        Thread thread = new Thread(() -> {
            try {
                Thread.sleep(500);
                sleeping.cancel();
            } catch (Exception reason) {
                told(reason);
            }
        });
        thread.start();
        error("cancelled", () -> sleeping.executeQuery("SELECT pg_sleep(30)"));
        thread.join();
        told("usable", one(connection, "SELECT 1"));
        sleeping.setQueryTimeout(1);
        error("timeout", () -> sleeping.executeQuery("SELECT pg_sleep(30)"));
        told("usable", one(connection, "SELECT 1"));
    }

    static void metadata(Connection connection) throws Exception {
        DatabaseMetaData data = connection.getMetaData();
        told(data.getDatabaseProductName(), data.getDriverMajorVersion() > 0);
        try (ResultSet columns = data.getColumns(null, "public", "item", null)) {
            while (columns.next()) told("column", columns.getString("COLUMN_NAME"), columns.getString("TYPE_NAME"), columns.getString("COLUMN_DEF"));
        }
        try (ResultSet keys = data.getPrimaryKeys(null, "public", "item")) {
            while (keys.next()) told("key", keys.getString("COLUMN_NAME"));
        }
        connection.setSchema("pg_catalog");
        told("schema", connection.getSchema(), connection.getCatalog() != null);
        connection.setSchema("public");
        connection.setClientInfo("ApplicationName", "renamed");
        told("name", one(connection, "SHOW application_name"));
        told("valid", connection.isValid(5));
        try (Connection simple = open("?preferQueryMode=simple&currentSchema=pg_catalog&options=-c%20work_mem=3MB")) {
            told("simple", one(simple, "SHOW search_path"), one(simple, "SHOW work_mem"));
            try (PreparedStatement select = simple.prepareStatement("SELECT ? + 1")) {
                select.setInt(1, 41);
                ResultSet rows = select.executeQuery();
                rows.next();
                told("answer", rows.getInt(1));
            }
        }
        try (Connection binary = open("?prepareThreshold=1&binaryTransfer=true&reWriteBatchedInserts=true&ApplicationName=binary")) {
            for (int n = 0; n < 4; n++) told("binary", one(binary, "SELECT 123456789012"), one(binary, "SELECT '2020-01-02'::date"));
        }
    }

    public static void main(String[] arguments) throws Exception {
        try (Connection connection = open("")) {
            prepared(connection);
            changed(connection);
            transactions(connection);
            copies(connection);
            listening(connection);
            cancelled(connection);
            metadata(connection);
        }
    }
}
