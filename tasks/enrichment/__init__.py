"""The steps of tickets-agreements-sla-sync: ConnectWise tickets, agreements and SLA flow to Lansweeper."""
