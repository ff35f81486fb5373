-- The integration's own database beside Prefect's; its tables are made when it is first opened.
CREATE DATABASE ledger;
